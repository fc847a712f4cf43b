package leads

import "context"

// Memory is a Store that forgets everything when the process ends. It keeps all that it is given, so its size grows with
// every lead until Reset.
type Memory struct {
	distro    distroMemory
	insertion insertionMemory
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{distro: newDistroMemory(), insertion: newInsertionMemory()}
}

// Reset forgets what the scope names.
func (m *Memory) Reset(ctx context.Context, scope ResetScope) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.distro.reset(scope)
	m.insertion.reset(scope)
	return nil
}

// Ready reports no fault: memory is always there.
func (m *Memory) Ready(context.Context) error { return nil }

var _ Store = (*Memory)(nil)
