"""How many threads kernels use; the number changes speed only, never a bit."""

from __future__ import annotations

import numba


def set_threads(count: int | None) -> int:
    """Let kernels use ``count`` threads, all of the machine's where None; return the number.

    More threads than the machine offers are cut down to what it offers.
    """
    available: int = numba.config.NUMBA_NUM_THREADS
    chosen = available if count is None else max(1, min(count, available))
    numba.set_num_threads(chosen)
    return chosen
