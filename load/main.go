// Command load attacks the limits of the Lead Distro API and the Insertion API, and says what holds: verify judges a
// target by the limits rows of the contract, attack sends a rate of one's own, fingerprint finds out what limiter a target
// has, report reads what was recorded.
//
//	go run ./load verify
//	go run ./load verify --profile staging.yaml --allow-load staging.example.com
package main

import (
	"context"
	"os"
	"runtime/debug"

	"leadconform/load/internal/command"
)

// collectAt is how many percent the heap grows before garbage is collected, unless GOGC says otherwise. Requests leave much
// garbage and little that lives on: at Go's own 100 the collector takes a tenth of the processor time.
const collectAt = 400

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	os.Exit(command.Run(context.Background(), os.Args[1:], command.Process(embedded)))
}
