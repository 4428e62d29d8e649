"""Samples of a ranking, computed here, by processes of this machine, or on a Dask cluster.

A task is an option with drawn values. It is idempotent: its result hangs on nothing else, so that
it may be computed again wherever a worker is lost. The study, networks included, goes to each
worker once.
"""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from cczsim.errors import CczsimError, Fault, InputError
from cczsim.scenario.sample import SampleFigures, Study, run_sample

_TRIES: Final = 3
_LOCK: Final = threading.Lock()
_PLACE: dict[str, Any] = {}


@dataclass(frozen=True)
class Task:
    """An option with drawn values, named by the hash of all that it hangs on."""

    key: str
    option: int
    sample: int
    values: dict[str, float]


@dataclass(frozen=True)
class Done:
    """A finished task: its figures, or the faults that kept it from having any."""

    task: Task
    figures: SampleFigures | None
    faults: tuple[Fault, ...] = ()


Keep = Callable[[Done], None]


def solve(study: Study, task: Task) -> Done:
    """Compute a task; a fault of its values is data."""
    try:
        return Done(task, run_sample(study, study.options[task.option], task.values))
    except CczsimError as error:
        return Done(task, None, error.faults)


def here(study: Study, tasks: Sequence[Task], keep: Keep, threads: int | None) -> Iterator[Done]:
    """Yield tasks as they are finished, one after the other in this process."""
    from cczsim.assignment.threads import set_threads

    set_threads(threads)
    for task in tasks:
        done = solve(study, task)
        keep(done)
        yield done


def by_processes(
    study: Study,
    tasks: Sequence[Task],
    keep: Keep,
    workers: int,
    threads: int | None,
    scratch: Path,
) -> Iterator[Done]:
    """Yield tasks as they are finished by processes of this machine.

    Each worker keeps what it finished by itself. A worker that dies takes the others of its pool
    with it; what they had not finished is given to new ones.

    Parameters
    ----------
    keep : callable
        Runs in the workers: must survive pickling.
    threads : int, optional
        Of all workers together; the machine's where None.
    scratch : Path
        Where the study is put for the workers to read.

    Raises
    ------
    InputError
        Workers died three times without finishing anything between.
    """
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool

    each = max(1, (threads or os.cpu_count() or 1) // workers)
    scratch.parent.mkdir(parents=True, exist_ok=True)
    scratch.write_bytes(pickle.dumps((study, keep), 5))
    left = {task.key: task for task in tasks}
    idle = 0
    try:
        while left:
            before = len(left)
            pool = ProcessPoolExecutor(
                workers, multiprocessing.get_context("spawn"), _begin, (str(scratch), each)
            )
            try:
                futures = [pool.submit(_solve_and_keep, task) for task in left.values()]
                for future in as_completed(futures):
                    done = future.result()
                    del left[done.task.key]
                    yield done
            except BrokenProcessPool:
                idle = 0 if len(left) < before else idle + 1
                if idle == _TRIES:
                    raise InputError.of(
                        f"{workers} workers", "workers that were killed or ran out of memory",
                        "workers that live", "take fewer workers, or a smaller network",
                    ) from None  # fmt: skip
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
    finally:
        with suppress(OSError):
            scratch.unlink()


def _begin(scratch: str, threads: int) -> None:
    """Make a worker ready; it ends when the process that asked for it does."""
    import multiprocessing
    from multiprocessing.connection import wait

    from cczsim.assignment.threads import set_threads

    parent = multiprocessing.parent_process()
    assert parent is not None

    def follow() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    set_threads(threads)
    # Written by the process that started this one.
    _PLACE["study"], _PLACE["keep"] = pickle.loads(Path(scratch).read_bytes())  # noqa: S301


def _solve_and_keep(task: Task) -> Done:
    done = solve(_PLACE["study"], task)
    _PLACE["keep"](done)
    return done


def on_cluster(study: Study, tasks: Sequence[Task], keep: Keep, address: str) -> Iterator[Done]:
    """Yield tasks as they are finished on a Dask cluster; kept here as they come in.

    The scheduler gives what a lost worker had to another one.

    Raises
    ------
    InputError
        Dask is not installed, nobody answers at the address, or no worker can finish a task.
    """
    try:
        import distributed
        from distributed.client import FutureCancelledError
        from distributed.comm import CommClosedError
    except ImportError:
        raise InputError.of(
            "--cluster", "no package named distributed", "Dask",
            "pip install 'cczsim[cluster]', here and on the workers",
        ) from None  # fmt: skip
    try:
        client = distributed.Client(address, timeout="20s", set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise InputError.of(
            f"--cluster {address}", f"no scheduler ({error})", "the address of one that runs",
            "start one: dask scheduler, and on each machine: dask worker ADDRESS --nthreads 1",
        ) from None  # fmt: skip
    # As bytes the arrays come out as they are here, whatever way Dask sends them.
    content = pickle.dumps(study, 5)
    left = {task.key: task for task in tasks}
    lost = (distributed.KilledWorker, FutureCancelledError, CommClosedError)
    idle = 0
    with client:
        while left:
            before = len(left)
            try:
                sent = client.scatter(content, broadcast=True, hash=False)
                futures = [
                    client.submit(solve_sent, sent, task, key=f"cczsim-{key}-{idle}", pure=False)
                    for key, task in left.items()
                ]
                for _, done in distributed.as_completed(
                    futures, loop=client.loop, with_results=True
                ):
                    keep(done)
                    del left[done.task.key]
                    yield done
            except lost as error:
                idle = 0 if len(left) < before else idle + 1
                if idle == _TRIES:
                    raise InputError.of(
                        f"--cluster {address}", f"workers that were lost ({error})",
                        "workers that live",
                    ) from None  # fmt: skip


@lru_cache(maxsize=1)
def _opened(content: bytes) -> Study:
    study: Study = pickle.loads(content)  # noqa: S301  sent by the client, whose code runs here anyway
    return study


def solve_sent(content: bytes, task: Task) -> Done:
    """Compute a task on a worker of a cluster, one at a time in a process."""
    with _LOCK:
        return solve(_opened(bytes(content)), task)
