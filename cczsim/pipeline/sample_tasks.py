"""Samples of a ranking, computed here, by processes of this machine, or on a Dask cluster.

A task is an option with drawn values. It is idempotent: its result hangs on nothing else, so that
it may be computed again wherever a worker is lost. The study, networks included, goes to each
worker once, and so do the bushes that runs of an option start from.
"""

from __future__ import annotations

import io
import os
import pickle
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Protocol

from cczsim.assignment.bush_solution import BushStart
from cczsim.errors import CczsimError, Fault, InputError
from cczsim.io.bush_file import read_bushes
from cczsim.scenario.sample import SampleFigures, Study, run_sample

_TRIES: Final = 3
_MOST_STARTS: Final = 16
ONE_AT_A_TIME: Final = threading.Lock()
"""Held by a worker of a cluster while it computes."""
_PLACE: dict[str, Any] = {}


@dataclass(frozen=True)
class Task:
    """An option with drawn values, named by the hash of all that it hangs on.

    Parameters
    ----------
    key : str
    option : int
    sample : int
        -1 where the option is run as it is, for its samples to start from.
    values : dict of str to float
    near : str, optional
        Key of the task whose bushes it starts from.
    is_start : bool
        Whether its bushes are kept, for others to start from.
    """

    key: str
    option: int
    sample: int
    values: dict[str, float]
    near: str | None = None
    is_start: bool = False


@dataclass(frozen=True)
class Done:
    """A finished task: its figures, or the faults that kept it from having any.

    ``seconds`` are those of all processors.
    """

    task: Task
    figures: SampleFigures | None
    faults: tuple[Fault, ...] = ()
    start: BushStart | None = None
    seconds: float = 0.0


class Keep(Protocol):
    """Writes finished tasks to their place, and finds the bushes that others start from."""

    def __call__(self, done: Done) -> None:
        """Keep a finished task."""

    def start_path(self, key: str) -> Path:
        """Return the file of the bushes of a task."""


def solve(study: Study, task: Task, near: BushStart | None) -> Done:
    """Compute a task; a fault of its values is data."""
    option = study.options[task.option]
    began = time.process_time()
    try:
        figures, start = run_sample(
            study, option, task.values, near=near, keep_bushes=task.is_start
        )
    except CczsimError as error:
        return Done(task, None, error.faults)
    return Done(task, figures, start=start, seconds=time.process_time() - began)


def here(study: Study, tasks: Sequence[Task], keep: Keep, threads: int | None) -> Iterator[Done]:
    """Yield tasks as they are finished, one after the other in this process."""
    from cczsim.assignment.threads import set_threads

    set_threads(threads)
    for task in tasks:
        yield _solve_and_keep(study, task, keep)


def _solve_and_keep(study: Study, task: Task, keep: Keep) -> Done:
    near = None if task.near is None else _opened_start(keep.start_path(task.near))
    done = solve(study, task, near)
    keep(done)
    return replace(done, start=None)


@lru_cache(maxsize=_MOST_STARTS)
def _opened_start(path: Path) -> BushStart | None:
    """Return kept bushes; always by way of their file, whoever found them."""
    return read_bushes(path) if path.exists() else None


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
                futures = [pool.submit(_solve_in_place, task) for task in left.values()]
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


def begin_worker(threads: int) -> None:
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


def _begin(scratch: str, threads: int) -> None:
    begin_worker(threads)
    # Written by the process that started this one.
    _PLACE["study"], _PLACE["keep"] = pickle.loads(Path(scratch).read_bytes())  # noqa: S301


def _solve_in_place(task: Task) -> Done:
    return _solve_and_keep(_PLACE["study"], task, _PLACE["keep"])


def connect(address: str) -> Any:
    """Return a client of a Dask cluster.

    Raises
    ------
    InputError
        Dask is not installed, or nobody answers at the address.
    """
    try:
        import distributed
    except ImportError:
        raise InputError.of(
            "--cluster", "no package named distributed", "Dask",
            "pip install 'cczsim[cluster]', here and on the workers",
        ) from None  # fmt: skip
    try:
        return distributed.Client(address, timeout="20s", set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise InputError.of(
            f"--cluster {address}", f"no scheduler ({error})", "the address of one that runs",
            "start one: dask scheduler, and on each machine: dask worker ADDRESS --nthreads 1",
        ) from None  # fmt: skip


def lost_workers() -> tuple[type[Exception], ...]:
    """Return what is raised where workers are lost: processes, and those of a cluster if any."""
    from concurrent.futures.process import BrokenProcessPool

    lost: tuple[type[Exception], ...] = (BrokenProcessPool,)
    if "distributed" in sys.modules:
        from distributed import KilledWorker
        from distributed.client import FutureCancelledError
        from distributed.comm import CommClosedError

        lost = (*lost, KilledWorker, FutureCancelledError, CommClosedError)
    return lost


def on_cluster(study: Study, tasks: Sequence[Task], keep: Keep, address: str) -> Iterator[Done]:
    """Yield tasks as they are finished on a Dask cluster; kept here as they come in.

    The scheduler gives what a lost worker had to another one.

    Raises
    ------
    InputError
        Dask is not installed, nobody answers at the address, or no worker can finish a task.
    """
    client = connect(address)
    import distributed

    # As bytes the arrays come out as they are here, whatever way Dask sends them.
    content = pickle.dumps(study, 5)
    left = {task.key: task for task in tasks}
    lost = lost_workers()
    idle = 0
    with client:
        while left:
            before = len(left)
            try:
                sent = client.scatter(content, broadcast=True, hash=False)
                starts = {
                    near: client.scatter(path.read_bytes(), broadcast=True, hash=False)
                    for near in dict.fromkeys(t.near for t in left.values() if t.near is not None)
                    if (path := keep.start_path(near)).exists()
                }
                futures = [
                    client.submit(
                        solve_sent,
                        sent,
                        task,
                        starts.get(task.near or ""),
                        key=f"cczsim-{key}-{len(left)}-{idle}",
                        pure=False,
                    )
                    for key, task in left.items()
                ]
                for _, done in distributed.as_completed(
                    futures, loop=client.loop, with_results=True
                ):
                    if isinstance(done, Exception):  # what it needed was lost with a worker
                        raise done
                    keep(done)
                    del left[done.task.key]
                    yield replace(done, start=None)
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


@lru_cache(maxsize=_MOST_STARTS)
def _opened_bytes(content: bytes) -> BushStart:
    return read_bushes(io.BytesIO(content))


def solve_sent(content: bytes, task: Task, near: bytes | None) -> Done:
    """Compute a task on a worker of a cluster, one at a time in a process."""
    with ONE_AT_A_TIME:
        start = None if near is None else _opened_bytes(bytes(near))
        return solve(_opened(bytes(content)), task, start)
