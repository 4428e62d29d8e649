"""Blocks are called once each, whatever fails and whoever forks."""

from __future__ import annotations

import os
import threading

import numba
import pytest

from cczsim.assignment.threads import by_block, set_threads


def called(n_blocks: int) -> list[int]:
    found: list[int] = []
    lock = threading.Lock()

    def kernel(block: int, add: int) -> None:
        with lock:
            found.append(block + add)

    by_block(kernel, n_blocks, 10)
    return sorted(found)


@pytest.mark.parametrize("threads", [1, numba.config.NUMBA_NUM_THREADS])
def test_each_block_is_called_once(threads: int) -> None:
    before = numba.get_num_threads()
    try:
        set_threads(threads)
        for n_blocks in (0, 1, 7):
            assert called(n_blocks) == list(range(10, 10 + n_blocks))
    finally:
        set_threads(before)


def test_what_fails_is_told_and_the_next_call_works() -> None:
    def fails(block: int) -> None:
        if block == 3:
            raise ValueError("block 3")

    with pytest.raises(ValueError, match="block 3"):
        by_block(fails, 6)
    assert called(4) == [10, 11, 12, 13]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system forks no processes")
def test_a_forked_process_has_threads_of_its_own() -> None:
    called(4)
    child = os.fork()
    if child == 0:
        os._exit(0 if called(4) == [10, 11, 12, 13] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
