"""Streets tested here, by processes of this machine, or on a Dask cluster: the same bits."""

from __future__ import annotations

import hashlib
import os
import pickle
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from cczsim.assignment.bush_solution import BushStart
from cczsim.design.propose import Proposal
from cczsim.design.swaps import Outcome, Part, Standing, stand
from cczsim.design.trials import Trials
from cczsim.errors import InputError
from cczsim.pipeline.sample_tasks import ONE_AT_A_TIME, begin_worker, connect, lost_workers

_TRIES = 3
_PLACE: dict[str, Any] = {}


class Crew:
    """Who tests streets.

    Processes are begun when they are first asked, and end with the ``with`` block. What a lost
    worker had is tested again by others.

    Parameters
    ----------
    workers : int
    cluster : str, optional
        Address of a Dask scheduler.
    threads : int, optional
        Of all workers together.
    """

    def __init__(
        self, workers: int = 1, cluster: str | None = None, threads: int | None = None
    ) -> None:
        self._workers, self._cluster = workers, cluster
        self._each = max(1, (threads or os.cpu_count() or 1) // workers)
        self._pool: Any = None
        self._client: Any = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None

    def __enter__(self) -> Crew:
        if self._cluster is not None:
            self._client = connect(self._cluster)
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        if self._client is not None:
            self._client.close()
        if self._scratch is not None:
            self._scratch.cleanup()

    @property
    def alone(self) -> bool:
        """Whether this process tests everything."""
        return self._client is None and self._workers < 2

    def bench(self, trials: Trials, streets: Sequence[Proposal]) -> Bench:
        """Return what tests streets of one area."""
        return Bench(self, trials, streets)

    def run(self, content: bytes, near: bytes, many: Sequence[tuple[Part, ...]]) -> list[Outcome]:
        """Return what comes of each, in order.

        Raises
        ------
        InputError
            Workers were lost three times in a row.
        """
        for _ in range(_TRIES):
            try:
                if self._client is not None:
                    return self._on_cluster(content, near, many)
                return self._by_processes(content, near, many)
            except lost_workers() as error:
                said = str(error)
                self._pool = None
        raise InputError.of("workers", f"workers that were lost ({said})", "workers that live")

    def _on_cluster(
        self, content: bytes, near: bytes, many: Sequence[tuple[Part, ...]]
    ) -> list[Outcome]:
        sent = self._client.scatter([content, near], broadcast=True, hash=False)
        futures = [self._client.submit(_try_sent, *sent, parts, pure=False) for parts in many]
        out: list[Outcome] = self._client.gather(futures)
        return out

    def _by_processes(
        self, content: bytes, near: bytes, many: Sequence[tuple[Part, ...]]
    ) -> list[Outcome]:
        import multiprocessing
        from concurrent.futures import ProcessPoolExecutor

        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="cczsim-")
        if self._pool is None:
            self._pool = ProcessPoolExecutor(
                self._workers, multiprocessing.get_context("spawn"), begin_worker, (self._each,)
            )
        folder = Path(self._scratch.name)
        files = [folder / hashlib.sha256(held).hexdigest()[:16] for held in (content, near)]
        for file, held in zip(files, (content, near), strict=True):
            if not file.exists():
                file.write_bytes(held)
        return list(self._pool.map(_try_filed, *zip(*((*files, p) for p in many), strict=True)))


class Bench:
    """Tests streets of one area on a crew."""

    def __init__(self, crew: Crew, trials: Trials, streets: Sequence[Proposal]) -> None:
        self._crew, self._trials, self._streets = crew, trials, streets
        self._content = pickle.dumps((trials, tuple(streets)), 5)
        self._near: tuple[Standing, bytes] | None = None

    def __call__(
        self, many: Sequence[tuple[Part, ...]], near: Standing
    ) -> Sequence[Standing | Outcome]:
        """Return what comes of building each, sought from a standing like it."""
        if self._crew.alone or len(many) < 2:
            return [stand(self._trials, self._streets, parts, near.start) for parts in many]
        if self._near is None or self._near[0] is not near:
            self._near = (near, pickle.dumps(near.start, 5))
        self._trials.runs += len(many)
        return self._crew.run(self._content, self._near[1], many)


@lru_cache(maxsize=2)
def _opened(held: bytes) -> Any:
    return pickle.loads(held)  # noqa: S301  sent by the process whose code runs here anyway


@lru_cache(maxsize=2)
def _read(file: Path) -> Any:
    return pickle.loads(file.read_bytes())  # noqa: S301  written by the process that began this one


def _try(content: tuple[Trials, tuple[Proposal, ...]], near: BushStart, parts: Any) -> Outcome:
    found = stand(*content, parts, near)
    return Outcome(found.hours, found.noise)


def _try_filed(content: Path, near: Path, parts: tuple[Part, ...]) -> Outcome:
    return _try(_read(content), _read(near), parts)


def _try_sent(content: bytes, near: bytes, parts: tuple[Part, ...]) -> Outcome:
    with ONE_AT_A_TIME:
        return _try(_opened(bytes(content)), _opened(bytes(near)), parts)
