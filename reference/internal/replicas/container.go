package replicas

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"

	"leadconform/reference/internal/containers"
)

// container is one that faults can be done to.
type container struct {
	testcontainers.Container
}

// Kill ends it as a power failure would: nothing is finished, nobody is told.
func (c *container) Kill(ctx context.Context) error {
	return c.docker(ctx, "kill", func(ctx context.Context, d *testcontainers.DockerClient) error {
		_, err := d.ContainerKill(ctx, c.GetContainerID(), client.ContainerKillOptions{Signal: "SIGKILL"})
		return err
	})
}

// Pause stops it in its tracks: its connections stay, and nothing comes from them.
func (c *container) Pause(ctx context.Context) error {
	return c.docker(ctx, "pause", func(ctx context.Context, d *testcontainers.DockerClient) error {
		_, err := d.ContainerPause(ctx, c.GetContainerID(), client.ContainerPauseOptions{})
		return err
	})
}

// Resume lets it go on after Pause.
func (c *container) Resume(ctx context.Context) error {
	return c.docker(ctx, "resume", func(ctx context.Context, d *testcontainers.DockerClient) error {
		_, err := d.ContainerUnpause(ctx, c.GetContainerID(), client.ContainerUnpauseOptions{})
		return err
	})
}

// Shut stops it in good order.
func (c *container) Shut(ctx context.Context) error {
	patience := 10 * time.Second
	if err := c.Stop(ctx, &patience); err != nil {
		return fmt.Errorf("stop a container: %w", err)
	}
	return nil
}

func (c *container) docker(ctx context.Context, doing string, do func(context.Context, *testcontainers.DockerClient) error) error {
	d, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err == nil {
		defer d.Close()
		err = do(ctx, d)
	}
	if err != nil {
		return fmt.Errorf("%s a container: %w", doing, err)
	}
	return nil
}

// Service is PostgreSQL or Redis.
type Service struct {
	*container
	url string // with the address that it had first
}

func (s *Stack) service(ctx context.Context, kind containers.Service, host string, options ...testcontainers.ContainerCustomizer) (*Service, error) {
	running, err := kind.Run(ctx, append(options, network.WithNetwork([]string{host}, s.network))...)
	return &Service{&container{running.Container}, running.URL}, err
}

// URL is where the service is reached from this machine. It is another one after a restart.
func (s *Service) URL(ctx context.Context) (string, error) {
	u, err := url.Parse(s.url)
	if err != nil {
		return "", err
	}
	if u.Host, err = s.Endpoint(ctx, ""); err != nil {
		return "", fmt.Errorf("find a service: %w", err)
	}
	return u.String(), nil
}

// Replica is one reference server.
type Replica struct {
	*container
	at atomic.Pointer[addresses]
}

// addresses are a replica's base URLs, as seen from this machine.
type addresses struct{ public, control string }

// Public is the base URL of its two APIs. It is another one after a restart.
func (r *Replica) Public() string { return r.at.Load().public }

// Control is the base URL of its control listener. It is another one after a restart.
func (r *Replica) Control() string { return r.at.Load().control }

// replicasHost is the name by which all replicas are known on their network: it stands for each in turn.
const replicasHost = "replicas"

// The ports of a replica, in its container.
const (
	publicPort  = "8080/tcp"
	controlPort = "8081/tcp"
)

func (s *Stack) replica(ctx context.Context, o Options, i int) (*Replica, error) {
	flags := []string{
		"--addr", "0.0.0.0:8080", "--control", "0.0.0.0:8081",
		"--store", "postgres://postgres:postgres@postgres:5432/leads?sslmode=disable", "--limiter", "redis://redis:6379",
	}
	var files []testcontainers.ContainerFile
	if o.World != nil {
		const path = "/world.yaml"
		flags = append(flags, "--world", path)
		files = append(files, testcontainers.ContainerFile{Reader: bytes.NewReader(o.World), ContainerFilePath: path, FileMode: 0o644})
	}
	if o.Flags != nil {
		flags = append(flags, o.Flags(i)...)
	}
	c, err := testcontainers.Run(ctx, s.image,
		testcontainers.WithCmd(flags...),
		testcontainers.WithFiles(files...),
		testcontainers.WithExposedPorts(publicPort, controlPort),
		testcontainers.WithWaitStrategy(wait.ForHTTP("/readyz").WithPort(controlPort)),
		network.WithNetwork([]string{fmt.Sprintf("replica-%d", i+1), replicasHost}, s.network),
		containers.Quietly,
	)
	r := &Replica{container: &container{c}}
	if err != nil {
		return r, fmt.Errorf("start replica %d: %w\n%s", i+1, err, lastWords(ctx, c))
	}
	return r, r.locate(ctx)
}

// lastWords is the end of what a container has logged.
func lastWords(ctx context.Context, c *testcontainers.DockerContainer) []byte {
	const most = 1 << 10
	if c == nil {
		return nil
	}
	logs, err := c.Logs(context.WithoutCancel(ctx))
	if err != nil {
		return nil
	}
	defer logs.Close()
	text, err := io.ReadAll(logs)
	if err != nil {
		return nil
	}
	return text[max(0, len(text)-most):]
}

// Restart starts a replica again that was killed, and returns when it is ready. Its addresses are new ones.
func (r *Replica) Restart(ctx context.Context) error {
	if err := r.Start(ctx); err != nil {
		return fmt.Errorf("start a replica again: %w", err)
	}
	return r.locate(ctx)
}

// locate finds out where the replica is reached from this machine.
func (r *Replica) locate(ctx context.Context) error {
	var at addresses
	for port, base := range map[string]*string{publicPort: &at.public, controlPort: &at.control} {
		var err error
		if *base, err = r.PortEndpoint(ctx, port, "http"); err != nil {
			return fmt.Errorf("find a replica: %w", err)
		}
	}
	r.at.Store(&at)
	return nil
}
