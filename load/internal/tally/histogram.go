package tally

import (
	"math/bits"
	"time"
)

// Histogram counts durations to within one percent in memory that doesn't grow: buckets of equal width within each power
// of two of microseconds. The zero value is ready. Negative durations count as zero.
type Histogram struct {
	buckets [exponents << mantissa]uint32
	n       uint64
	max     time.Duration
}

const (
	mantissa  = 7  // bits: 128 buckets a power of two
	exponents = 26 // up to 2^32 µs, a bit more than an hour
)

// Add counts a duration.
func (h *Histogram) Add(d time.Duration) {
	h.buckets[bucket(max(d, 0))]++
	h.n++
	h.max = max(h.max, d)
}

// bucket is the index of a duration's bucket. The first 256 hold single microseconds.
func bucket(d time.Duration) int {
	us := uint64(d / time.Microsecond)
	exponent := max(0, bits.Len64(us)-mantissa-1)
	return min(exponent<<mantissa+int(us>>exponent), exponents<<mantissa-1)
}

// upper is the largest duration of a bucket.
func upper(i int) time.Duration {
	exponent := max(0, i>>mantissa-1)
	us := uint64(i-exponent<<mantissa+1)<<exponent - 1
	return time.Duration(us+1)*time.Microsecond - 1
}

// Quantile is the duration that a share q of all don't exceed; 0 of none.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := uint64(q * float64(h.n))
	if float64(rank) < q*float64(h.n) || rank == 0 {
		rank++
	}
	var seen uint64
	for i, n := range h.buckets {
		if seen += uint64(n); seen >= rank {
			return min(upper(i), h.max)
		}
	}
	return h.max
}

// Count is how many durations were added.
func (h *Histogram) Count() uint64 { return h.n }

// Max is the longest.
func (h *Histogram) Max() time.Duration { return h.max }
