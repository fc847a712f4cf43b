package containers_test

import (
	"net"
	"net/url"
	"testing"

	"leadconform/reference/internal/containers"
)

func TestStart(t *testing.T) {
	urls := containers.Start(t, containers.Postgres, containers.Redis)
	for i, scheme := range []string{"postgres", "redis"} {
		u, err := url.Parse(urls[i])
		if err != nil || u.Scheme != scheme {
			t.Fatalf("service %d is at %s, %v; want %s", i, urls[i], err, scheme)
		}
		c, err := net.Dial("tcp", u.Host)
		if err != nil {
			t.Fatalf("nobody answers for %s: %v", scheme, err)
		}
		_ = c.Close()
	}
}
