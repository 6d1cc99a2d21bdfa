"""What R draws, so that its resamples and permutations can be drawn again here."""

from __future__ import annotations

import numpy as np


class Chance(np.random.Generator):
    """What R draws after set.seed(): the Mersenne Twister, and indices by rejection (R 3.6 and later)."""

    def __init__(self, seed: int) -> None:
        state = seed
        for _ in range(50):
            state = (69069 * state + 1) % 2**32
        key = [state := (69069 * state + 1) % 2**32 for _ in range(625)][1:]
        bits = np.random.MT19937()
        bits.state = {"bit_generator": "MT19937", "state": {"key": np.array(key, dtype=np.uint32), "pos": 624}}
        super().__init__(bits)

    def index(self, n: int) -> int:
        """Return one of 0 to n - 1; n up to 2**15."""
        mask = (1 << (n - 1).bit_length()) - 1
        while (found := (self.bit_generator.random_raw() >> 16) & mask) >= n:
            pass
        return found

    def sample(self, n: int) -> np.ndarray:
        """Return sample(n), from 0."""
        left = list(range(n))
        out = []
        for size in range(n, 0, -1):
            at = self.index(size)
            out.append(left[at])
            left[at] = left[size - 1]
        return np.array(out)

    def permutation(self, x):
        """Return sample(x), which stands in for numpy's where a function takes a seed."""
        return x[self.sample(len(x))]

    def permuted(self, x, axis: int):
        """Return sample() of each row."""
        assert axis == 1
        return np.array([self.permutation(row) for row in x])

    def integers(self, low: int, high: int, size):
        """Return sample(high, replace = TRUE), from 0, row by row."""
        assert low == 0
        return np.array([self.index(high) for _ in range(np.prod(size))]).reshape(size)
