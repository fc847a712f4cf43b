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

	"leadconform/load/internal/attack"
	"leadconform/load/internal/command"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(attack.GCPercent)
	}
	os.Exit(command.Run(context.Background(), os.Args[1:], command.Process(embedded)))
}
