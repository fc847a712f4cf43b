package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
)

// The compose file is one that Docker Compose reads, since its own parser does. Its replicas are one server, started with
// flags that there are, and all of them are behind the balancer.
func TestComposeFile(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{"../scripts/compose.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := project.CheckContainerNameUnicity(); err != nil {
		t.Error(err)
	}
	if want := []string{"balancer", "postgres", "redis", "replica-1", "replica-2", "replica-3"}; !slices.Equal(slices.Sorted(slices.Values(project.ServiceNames())), want) {
		t.Errorf("the services are %v, want %v", project.ServiceNames(), want)
	}
	balancer := project.Configs["balancer"].Content
	for i := range 3 {
		name := fmt.Sprint("replica-", i+1)
		replica, err := project.GetService(name)
		if err != nil {
			t.Fatal(err)
		}
		o, done, err := parse(replica.Command, io.Discard)
		if err != nil || done {
			t.Errorf("%s has flags %v: %v", name, replica.Command, err)
		}
		if o.Store != "postgres://postgres:postgres@postgres:5432/leads?sslmode=disable" || o.Limiter != "redis://redis:6379" {
			t.Errorf("%s keeps leads in %s and counts in %s", name, o.Store, o.Limiter)
		}
		if !strings.Contains(balancer, "server "+name+":8080;") {
			t.Errorf("%s is not behind the balancer", name)
		}
		if replica.Image != "leadconform/reference" {
			t.Errorf("%s is of image %s", name, replica.Image)
		}
	}
	if !strings.Contains(balancer, "Host $http_host;") {
		t.Error("a variable of nginx is taken for one of Compose")
	}
	for name, published := range map[string]string{"balancer": "8080", "replica-1": "8081"} {
		ports := project.Services[name].Ports
		if len(ports) != 1 || ports[0].HostIP != "127.0.0.1" || ports[0].Published != published {
			t.Errorf("%s is published at %v, want 127.0.0.1:%s", name, ports, published)
		}
	}
}
