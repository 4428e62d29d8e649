"""Studies: options run in samples, each run kept when it is done, here or by workers."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
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
) -> tuple[dict[str, SampleFigures], int]:  # fmt: skip
    """Return the figures of all tasks by key, and how many were computed now.

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
    todo = [task for task in tasks if task.key not in found]
    if found:
        progress.say(
            f"{len(found)} of {len(tasks)} runs kept, finished before from the same inputs"
        )
    keep = _Keeper(store, tuple(names))
    stream = _stream(study, todo, keep, workers, cluster, threads, folder)
    faults = _follow(stream, found, len({t.key for t in tasks}), names, progress)
    if faults:
        raise ScenarioError(faults)
    return found, len({task.key for task in todo})


def make_tasks(
    specs: Sequence[ScenarioSpec], study: Study, draws: Sequence[Mapping[str, float]]
) -> list[Task]:
    """Return all tasks, sample by sample, named by a hash of all that moves their figures."""
    digests, moves = [], {}
    for name, item in study.ranges.items():
        moves[name] = [item.what, item.is_factor, repr(item.select), item.line]
    for spec in specs:
        plain = {k: v for k, v in spec.plain.items() if k not in _NO_PART}
        inputs = input_hashes(spec, network_inputs(spec.network)) | {"scenario": ""}
        digests.append(json.dumps([inputs, plain, moves], ensure_ascii=False, sort_keys=True))
    tasks = []
    for sample, values in enumerate(draws):
        for option, digest in enumerate(digests):
            exact = {name: value.hex() for name, value in values.items()}
            text = digest + json.dumps(exact, sort_keys=True)
            key = hashlib.sha256(text.encode()).hexdigest()[:32]
            tasks.append(Task(key, option, sample, dict(values)))
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
                "option": self.names[task.option], "sample": task.sample + 1, "values": task.values
            }  # fmt: skip
            self.store.write(task.key, done.figures, about)


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
            where = f"{names[done.task.option]}, sample {done.task.sample + 1}"
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
