package replicas

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/google/uuid"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"

	"leadconform/reference/internal/containers"
)

// dockerfile is an image of programs and nothing else.
const dockerfile = `FROM scratch
COPY bin/ /
ENTRYPOINT ["/reference"]
`

// packPrograms builds the reference server, and other programs of this module, linked statically, and packs what their
// image is built from.
func packPrograms(ctx context.Context, others []string) (*bytes.Reader, error) {
	dir, err := os.MkdirTemp("", "replicas")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	build := exec.CommandContext(ctx, "go", append([]string{"build", "-o", filepath.Join(dir, "bin") + "/", "leadconform/reference"}, others...)...)
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH)
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the programs: %w\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(dockerfile), 0o600); err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	archive := tar.NewWriter(&packed)
	if err := errors.Join(archive.AddFS(os.DirFS(dir)), archive.Close()); err != nil {
		return nil, fmt.Errorf("pack the programs: %w", err)
	}
	return bytes.NewReader(packed.Bytes()), nil
}

// buildImage builds the image, and returns its name.
func buildImage(ctx context.Context, packed *bytes.Reader) (string, error) {
	provider, err := testcontainers.NewDockerProvider(containers.Quietly)
	if err != nil {
		return "", fmt.Errorf("build the image: %w", err)
	}
	defer provider.Close()
	name, err := provider.BuildImage(ctx, &testcontainers.ContainerRequest{FromDockerfile: testcontainers.FromDockerfile{
		ContextArchive: packed,
		Repo:           "leadconform/reference",
		Tag:            uuid.NewString(),
	}})
	if err != nil {
		return "", fmt.Errorf("build the image: %w", err)
	}
	return name, nil
}

func removeImage(ctx context.Context, name string) error {
	docker, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return fmt.Errorf("remove the image: %w", err)
	}
	defer docker.Close()
	if _, err := docker.ImageRemove(ctx, name, client.ImageRemoveOptions{Force: true, PruneChildren: true}); err != nil {
		return fmt.Errorf("remove the image: %w", err)
	}
	return nil
}
