"""``cczsim warmup``: compile all kernels, so that no later run need wait for it."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor

from cczsim.pipeline.progress import Progress


def compile_bush_kernels() -> None:
    """Compile what Algorithm B takes, and ways in proportion."""
    from cczsim.assignment.algorithm_b import compile_bushes
    from cczsim.assignment.proportional import compile_proportional

    compile_bushes()
    compile_proportional()


def compile_other_kernels() -> None:
    """Compile the other ways to assign roads, and what lines take."""
    from cczsim.assignment.shortest import compile_kernels
    from cczsim.assignment.stochastic import compile_stochastic
    from cczsim.assignment.timetable_search import compile_search
    from cczsim.assignment.transit import compile_transit
    from cczsim.assignment.transit_crowding import compile_crowding

    compile_kernels()
    compile_stochastic()
    compile_transit(fares=True)
    compile_crowding()
    compile_search()


def warmup(*, progress: Progress) -> int:
    """Compile all kernels, in two processes where there are two processors."""
    parts = (compile_bush_kernels, compile_other_kernels)
    with progress.step("compile kernels"):
        if (os.cpu_count() or 1) < len(parts):
            for part in parts:
                part()
        else:
            with ProcessPoolExecutor(len(parts), multiprocessing.get_context("spawn")) as pool:
                for compiled in [pool.submit(part) for part in parts]:
                    compiled.result()
    return 0
