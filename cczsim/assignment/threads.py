"""How many threads kernels use; the number changes speed only, never a bit."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numba


def set_threads(count: int | None) -> int:
    """Let kernels use ``count`` threads, all of the machine's where None; return the number.

    More threads than the machine offers are cut down to what it offers.
    """
    available: int = numba.config.NUMBA_NUM_THREADS
    chosen = available if count is None else max(1, min(count, available))
    numba.set_num_threads(chosen)
    return chosen


@cache
def _helpers(count: int) -> ThreadPoolExecutor:
    """Return threads that stay: to start one takes as long as what it does for a small network."""
    return ThreadPoolExecutor(count)


if hasattr(os, "register_at_fork"):
    # A forked process has none of the threads of its parent; Windows forks none.
    os.register_at_fork(after_in_child=_helpers.cache_clear)


def by_block(kernel: Any, n_blocks: int, *args: Any) -> None:
    """Call a block kernel with each block and the arguments, on as many threads as kernels use.

    Blocks write to rows of their own, so that their order does not matter.
    """
    left = iter(range(n_blocks))

    def go() -> None:
        for block in left:
            kernel(block, *args)

    n_helpers = min(numba.get_num_threads(), n_blocks) - 1
    others = [_helpers(n_helpers).submit(go) for _ in range(n_helpers)]
    try:
        go()
    finally:
        # Who has not begun by now finds nothing left to do.
        for other in others:
            if not other.cancel():
                other.result()
