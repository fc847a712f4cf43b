package command

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	kongcompletion "github.com/jotaen/kong-completion"
	"github.com/posener/complete"

	"leadconform/fixtures/target"
	"leadconform/specs/internal/catalogue"
)

type completionCmd struct {
	kongcompletion.Completion
}

// Help is shown by specs completion --help.
func (*completionCmd) Help() string {
	return `Prints the command that makes the shell complete sub-commands, flags, their values, row IDs and files. Put it where the shell starts (~/.bashrc, ~/.zshrc, ~/.config/fish/config.fish) to have it always. The program must be in the PATH under the name specs.

Examples:

  specs completion                       for the shell that you log in with
  specs completion bash
  source <(specs completion -c bash)     in this shell, at once`
}

// completeLine answers a shell that asks how a line may go on (COMP_LINE), and reports whether one did.
func completeLine(parser *kong.Kong, w World) (asked bool) {
	if _, asked = w.Getenv("COMP_LINE"); !asked {
		return false
	}
	kongcompletion.Register(parser, kongcompletion.WithExitFunc(func(int) {}), kongcompletion.WithPredictors(map[string]complete.Predictor{
		"row":        complete.PredictSet(rowIDs("")...),
		"client-row": complete.PredictSet(rowIDs("CL-")...),
		"api":        complete.PredictSet(target.APIDistro, target.APIInsertion),
		"tier":       complete.PredictSet(tierNames()...),
		"json":       complete.PredictFiles("*.json"),
		"file":       complete.PredictFiles("*"),
		"dir":        complete.PredictDirs("*"),
	}))
	return true
}

// rowIDs are those that begin so, in order.
func rowIDs(beginning string) []string {
	var ids []string
	for _, row := range catalogue.Rows() {
		if strings.HasPrefix(row.ID, beginning) {
			ids = append(ids, row.ID)
		}
	}
	slices.Sort(ids)
	return ids
}

func tierNames() []string {
	var names []string
	for _, tier := range catalogue.Tiers {
		names = append(names, string(tier))
	}
	return names
}
