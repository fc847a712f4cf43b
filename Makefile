# The commands of the project. `make` alone lists them.

VERSION := 0.1.0
COMMIT  := $(shell git describe --always --dirty --abbrev=40 --exclude='*' 2>/dev/null || echo unknown)
LDFLAGS := $(foreach program,specs load,-X leadconform/$(program)/internal/command.Version=$(VERSION) -X leadconform/$(program)/internal/command.Commit=$(COMMIT))
LINTER  := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

.PHONY: help build test race fuzz lint verify stack mutants bench proof clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## build the three programs into bin/
	go build -trimpath -ldflags '$(LDFLAGS)' -o bin/ ./reference ./specs ./load

test: ## run every test
	go test -timeout 20m ./...

race: ## run every test under the race detector (RACE=PACKAGES: some)
	go test -race -timeout 30m $(or $(RACE),./...)

fuzz: ## run each fuzz target for FUZZTIME, a time or a count (default 1000x)
	scripts/fuzz $(or $(FUZZTIME),1000x)

lint: ## golangci-lint, which runs gofmt and go vet, too
	go run $(LINTER) run

verify: build ## run the specs against the embedded reference server, all levels
	bin/specs verify --level full

stack: ## run three replicas on PostgreSQL and Redis, in containers, until Ctrl-C
	go run ./reference/stack

# The limiters and the clients are tried in virtual time, by tests, which write their parts of the matrix.
mutants: export LEAD_MATRIX_OUT = $(CURDIR)/report/matrix
mutants: build ## show that the suite can fail: servers, limiters and clients that are wrong on purpose
	rm -rf $(LEAD_MATRIX_OUT)
	go test -count=1 -timeout 30m -run '^TestMatrix$$' ./load/harness ./specs/internal/clients
	bin/specs mutants --limits $(LEAD_MATRIX_OUT)/limiters.json --clients $(LEAD_MATRIX_OUT)/clients.json --out report

bench: ## run the benchmarks, and compare side by side (needs a quiet machine)
	go test -run '^$$' -bench . -benchmem ./...
	scripts/bench

proof: ## what is too long for CI: long fuzzing, many runs in a row, whole tables of the limits
	scripts/fuzz 2m
	PROOF=1 go test -count=1 -timeout 6h -v ./specs/... ./load/...
	PROOF=1 go test -count=1 -timeout 1h -v -run Replicas ./reference/internal/replicas

clean: ## remove what was built
	rm -rf bin report
