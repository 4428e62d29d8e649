"""What a demand costs at least; who does not travel costs nothing, wherever he would go."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cczsim.assignment.convergence import least_spent
from tests.assignment.test_assignment_frank_wolfe import RANDOM


@RANDOM
@given(st.integers(0, 30), st.integers(0, 2**32 - 1))
def test_least_spent_is_the_sum_over_who_travels(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    trips = rng.exponential(size=(n, n)) * (rng.random((n, n)) < 0.5)
    cost = np.where(trips > 0.0, rng.exponential(size=(n, n)), np.inf)
    expected = [sum(t * c for t, c in zip(*row, strict=True) if t > 0.0)
                for row in zip(trips.tolist(), cost.tolist(), strict=True)]  # fmt: skip
    np.testing.assert_allclose(least_spent(trips, cost), expected, rtol=1e-14)
