"""Studies: options run in samples, each run kept when it is done, here or by workers."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cczsim.errors import Fault, OutputError, ScenarioError
from cczsim.io.sample_store import SampleStore
from cczsim.pipeline.networks import network_inputs
from cczsim.pipeline.progress import Progress
from cczsim.pipeline.run_record import input_hashes
from cczsim.pipeline.sample_tasks import Done, Task, by_processes, here, on_cluster
from cczsim.scenario.sample import SampleFigures, Study
from cczsim.scenario.spec import ScenarioSpec

_NO_PART: Final = (
    "title", "title_zh", "extends", "compare_to", "targets", "not_modelled", "report",
    "tolerances", "uncertainty", "network", "cczsim",
)  # fmt: skip


@dataclass(frozen=True)
class Finished:
    """A finished study.

    Parameters
    ----------
    figures : dict of str to SampleFigures
        Of all tasks, by key.
    computed : int
        How many were computed now.
    seconds : dict of str to float
        What each took when it was computed, by key, s of all processors.
    """

    figures: dict[str, SampleFigures]
    computed: int
    seconds: dict[str, float]


def check_folder(out: Path) -> None:
    """Raise where no folder can be.

    Raises
    ------
    OutputError
        A file stands in its way.
    """
    above = next((p for p in (out, *out.parents) if p.exists()), Path())
    if not above.is_dir():
        raise OutputError.of(str(above), "a file", "a folder", "choose another with --out")


def run_study(
    study: Study, tasks: Sequence[Task], names: Sequence[str], folder: Path, *, resume: bool,
    workers: int, cluster: str | None, threads: int | None, progress: Progress,
) -> Finished:  # fmt: skip
    """Compute what is not there already.

    Parameters
    ----------
    names : sequence of str
        Of the options.
    folder : Path
        Where finished tasks are kept, each when it is done.
    resume : bool
        Whether to take what lies there from the same inputs.

    Raises
    ------
    ScenarioError
        With every fault of the tasks that could not be run, after all others were.
    """
    store = SampleStore(folder)
    store.clear_parts()
    found = {t.key: kept for t in tasks if resume and (kept := store.read(t.key)) is not None}
    total = len({t.key for t in tasks})
    if found:
        progress.say(f"{len(found)} of {total} runs kept, finished before from the same inputs")
    keep = _Keeper(store, tuple(names))
    todo = [task for task in tasks if task.key not in found]
    needed = {task.near for task in todo}
    starts = [
        task for task in tasks
        if task.is_start and (task.key not in found
                              or (task.key in needed and not keep.start_path(task.key).exists()))
    ]  # fmt: skip
    faults: list[Fault] = []
    # Those that others start from are whole before any of the others begins.
    for part in (starts, [task for task in todo if not task.is_start]):
        if part and not faults:
            stream = _stream(study, part, keep, workers, cluster, threads, folder)
            faults += _follow(stream, found, total, names, progress)
    if faults:
        raise ScenarioError(faults)
    computed = len({task.key for task in (*starts, *todo)})
    return Finished(found, computed, store.seconds())


def option_digests(specs: Sequence[ScenarioSpec], study: Study) -> list[str]:
    """Return what each option hangs on, as text."""
    digests, moves = [], {}
    for name, item in study.ranges.items():
        moves[name] = [item.what, item.is_factor, repr(item.select), item.line]
    for spec in specs:
        plain = {k: v for k, v in spec.plain.items() if k not in _NO_PART}
        inputs = input_hashes(spec, network_inputs(spec.network)) | {"scenario": ""}
        digests.append(json.dumps([inputs, plain, moves], ensure_ascii=False, sort_keys=True))
    return digests


def make_task(
    digest: str, option: int, sample: int, values: Mapping[str, float], *,
    near: str | None = None, is_start: bool = False,
) -> Task:  # fmt: skip
    """Return a task named by a hash of all that moves its figures: the start is part of it."""
    exact = {name: value.hex() for name, value in values.items()}
    text = digest + json.dumps([exact, near], sort_keys=True)
    key = hashlib.sha256(text.encode()).hexdigest()[:32]
    return Task(key, option, sample, dict(values), near, is_start)


def make_tasks(
    specs: Sequence[ScenarioSpec], study: Study, draws: Sequence[Mapping[str, float]]
) -> list[Task]:
    """Return all tasks, sample by sample.

    Where a bush solver runs, each option is first run as it is, and its samples start from that:
    never from one another, so that no bit hangs on who computed what before.
    """
    tasks = []
    near: dict[int, str] = {}
    digests = option_digests(specs, study)
    for option, spec in enumerate(specs):
        if any(draws) and spec.assignment.algorithm == "b":
            tasks.append(make_task(digests[option], option, -1, {}, is_start=True))
            near[option] = tasks[-1].key
    for sample, values in enumerate(draws):
        tasks += [
            make_task(digest, option, sample, values, near=near.get(option))
            for option, digest in enumerate(digests)
        ]
    return tasks


class _Keeper:
    """Writes a finished task to its place; goes to workers."""

    def __init__(self, store: SampleStore, names: tuple[str, ...]) -> None:
        self.store = store
        self.names = names

    def __call__(self, done: Done) -> None:
        if done.figures is not None:
            task = done.task
            about = {
                "option": self.names[task.option], "sample": task.sample + 1,
                "values": task.values, "near": task.near,
            }  # fmt: skip
            if done.start is not None:
                self.store.write_start(task.key, done.start)
            self.store.write_seconds(task.key, done.seconds)
            self.store.write(task.key, done.figures, about)

    def start_path(self, key: str) -> Path:
        return self.store.start_path(key)


def _stream(
    study: Study, todo: list[Task], keep: _Keeper, workers: int, cluster: str | None,
    threads: int | None, folder: Path,
) -> Iterator[Done]:  # fmt: skip
    unique = list({task.key: task for task in reversed(todo)}.values())[::-1]
    if cluster is not None:
        return on_cluster(study, unique, keep, cluster)
    if workers > 1 and len(unique) > 1:
        scratch = folder / ".study.part"
        return by_processes(study, unique, keep, workers, threads, scratch)
    return here(study, unique, keep, threads)


def _follow(
    stream: Iterator[Done], found: dict[str, SampleFigures], total: int, names: Sequence[str],
    progress: Progress,
) -> list[Fault]:  # fmt: skip
    """Take in finished tasks and say how far it is."""
    faults: list[Fault] = []
    step = max(1, total // 10)
    began, first = time.perf_counter(), len(found)
    for done in stream:
        if done.figures is None:
            where = f"{names[done.task.option]}{_which(done.task)}"
            faults += [replace(f, where=f"{where}: {f.where}") for f in done.faults]
        else:
            found[done.task.key] = done.figures
        ready = len(found) - first
        spent = time.perf_counter() - began
        left = spent / max(ready, 1) * (total - len(found))
        detail = f"{len(found)} of {total} runs, {left:.0f} s to go"
        progress.update(len(found) / total, detail)
        if len(found) % step == 0 and not progress.live:
            progress.say(detail)
    return faults


def _which(task: Task) -> str:
    return f", sample {task.sample + 1}" if task.sample >= 0 else ""
