package replicas

import (
	"archive/tar"
	"bytes"
	"context"
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

// dockerfile is an image of the program and nothing else.
const dockerfile = `FROM scratch
COPY reference /reference
ENTRYPOINT ["/reference"]
`

// packProgram builds the program, linked statically, and packs what its image is built from.
func packProgram(ctx context.Context) (*bytes.Reader, error) {
	dir, err := os.MkdirTemp("", "replicas")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "reference")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "leadconform/reference")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+runtime.GOARCH)
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the program: %w\n%s", err, out)
	}
	program, err := os.ReadFile(binary)
	if err != nil {
		return nil, err
	}

	var packed bytes.Buffer
	archive := tar.NewWriter(&packed)
	for _, file := range []struct {
		name string
		mode int64
		data []byte
	}{{"Dockerfile", 0o644, []byte(dockerfile)}, {"reference", 0o755, program}} {
		if err := archive.WriteHeader(&tar.Header{Name: file.name, Mode: file.mode, Size: int64(len(file.data))}); err != nil {
			return nil, err
		}
		if _, err := archive.Write(file.data); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
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
