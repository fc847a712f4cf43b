package ratelimit

// Keys is how many keys the limiter holds.
func (m *Memory) Keys() (n int) {
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		n += len(s.buckets) + len(s.windows)
		s.mu.Unlock()
	}
	return n
}
