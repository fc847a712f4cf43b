// Command specs asserts the contract of the Lead Distro API and the Insertion API against any target: every documented
// status, envelope, idempotency transition and retry header, as one verdict a row.
//
//	go run ./specs verify
//	go run ./specs verify --profile staging.yaml
package main

import (
	"context"
	"os"

	"leadconform/specs/internal/command"
)

func main() {
	os.Exit(command.Run(context.Background(), os.Args[1:], command.Process(embedded, scripted, mutants)))
}
