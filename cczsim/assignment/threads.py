"""How many threads kernels use; the number changes speed only, never a bit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
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


def by_block(kernel: Any, n_blocks: int, *args: Any) -> None:
    """Call a block kernel with each block and the arguments, on as many threads as kernels use.

    Blocks write to rows of their own, so that their order does not matter.
    """
    threads = min(numba.get_num_threads(), n_blocks)
    if threads == 1:
        for block in range(n_blocks):
            kernel(block, *args)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(lambda block: kernel(block, *args), range(n_blocks)):
            pass
