"""Run scenarios, check them, tell them apart, compare their results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cczsim.errors import CczsimError, FaultCollector, OutputError, ScenarioError
from cczsim.io.results import StoredResult, check_place, is_result, read_result, write_result
from cczsim.io.scenario_docs import explain_key, json_schema, resolved_toml
from cczsim.io.scenario_file import read_scenario
from cczsim.network.network import Network
from cczsim.pipeline.networks import load_network, network_inputs
from cczsim.pipeline.progress import Progress
from cczsim.pipeline.run_record import input_hashes, run_record
from cczsim.pipeline.summary import (
    comparison_lines,
    key_differences,
    main_figures,
    scoreboard,
    write_line,
)
from cczsim.scenario.changes import apply_changes
from cczsim.scenario.compare import Comparison, compare_indicators, noise
from cczsim.scenario.compare import compare as compare_runs
from cczsim.scenario.figures import check_targets
from cczsim.scenario.ledger import lost_share
from cczsim.scenario.result import RunResult
from cczsim.scenario.run import prepare, run_scenario
from cczsim.scenario.spec import ScenarioSpec


@dataclass(frozen=True)
class Job:
    """A scenario to run, and the one it is compared to."""

    spec: ScenarioSpec
    base: Path | None
    folder: Path


def plan_jobs(paths: Sequence[Path], out: Path) -> dict[Path, Job]:
    """Return what is to be run, bases first, each scenario once, by its file.

    Raises
    ------
    ScenarioError
        With every fault of every file; also where two scenarios would share a result folder.
    """
    faults = FaultCollector(ScenarioError)
    jobs: dict[Path, Job] = {}

    def add(path: Path, chain: tuple[Path, ...]) -> None:
        file = path.resolve()
        if file in jobs or file in chain:
            return
        try:
            spec = read_scenario(path)
        except CczsimError as error:
            faults.extend(f for f in error.faults if f not in faults.faults)
            return
        base = Path(spec.compare_to) if spec.compare_to is not None else None
        if base is not None:
            add(base, (*chain, file))
        jobs[file] = Job(spec, base.resolve() if base is not None else None, out / spec.name)

    for path in paths:
        add(path, ())
    by_name: dict[str, Path] = {}
    for file, job in jobs.items():
        other = by_name.setdefault(job.spec.name, file)
        if other != file:
            faults.add(
                str(file), f"the same name as {other}", "a name of its own for each scenario",
                "rename one of the files: the name is that of the result folder",
            )  # fmt: skip
    faults.raise_if_any()
    return jobs


class Networks:
    """Networks of one call, each loaded once."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._loaded: dict[str, Network] = {}

    def load(self, spec: ScenarioSpec) -> Network:
        """Return the network that a scenario starts from."""
        path = str(Path(spec.network).resolve())
        if path not in self._loaded:
            self._loaded[path] = load_network(Path(spec.network), self._progress)
        return self._loaded[path]


def run(
    paths: Sequence[Path],
    *,
    out: Path = Path("results"),
    threads: int | None = None,
    resume: bool = False,
    lang: str | None = None,
    strict: bool = False,
    progress: Progress | None = None,
) -> int:
    """Run scenarios, each with the base it is compared to, and write a folder for each.

    With ``resume``, a folder is kept whose record says that it was finished from the same inputs,
    scenario and program, bit for bit; a base is then run again only where a scenario that is not
    finished needs it. Nothing is resumed inside a scenario.

    Returns
    -------
    int
        0; or 1 where a run did not converge, lost more demand than tolerated, or (``strict``)
        missed a target.
    """
    from cczsim.assignment.threads import set_threads

    progress = progress or Progress()
    jobs = plan_jobs(paths, out)
    for job in jobs.values():
        check_place(job.folder)
    used = set_threads(threads)
    inputs = {
        file: input_hashes(job.spec, network_inputs(job.spec.network)) for file, job in jobs.items()
    }
    kept = _finished(jobs, inputs) if resume else {}
    needed = {job.base for file, job in jobs.items() if file not in kept}
    networks, code = Networks(progress), 0
    results: dict[Path, RunResult] = {}
    for file, job in jobs.items():
        if file in kept and file not in needed:
            progress.say(f"{job.spec.name}: kept, finished before from the same inputs")
            code = max(code, _exit_code(kept[file]))
            continue
        base = results.get(job.base) if job.base is not None else None
        result = _solve(job, networks, base, progress)
        results[file] = result
        status, missed = _status(job.spec, result, strict)
        code = max(code, 1 if missed else 0)
        comparison = compare_runs(base, result) if base is not None else None
        with progress.step(f"{job.spec.name}: write result"):
            page = _page(result, base, comparison, lang or job.spec.report.lang)
            record = run_record(
                job.spec, result, base.name if base else None, inputs[file], status,
                noise(result), used, progress.seconds,
            )  # fmt: skip
            text = resolved_toml(job.spec, job.folder)
            write_result(result, base, comparison, job.folder, page, record, text)
        _say_result(progress, job, result, comparison, status)
    return code


def _finished(
    jobs: dict[Path, Job], inputs: dict[Path, dict[str, str]]
) -> dict[Path, StoredResult]:
    """Return the jobs whose folder was finished from the same inputs, with the same base."""
    kept: dict[Path, StoredResult] = {}
    for file, job in jobs.items():
        if not is_result(job.folder) or (job.base is not None and job.base not in kept):
            continue
        try:
            stored = read_result(job.folder)
        except CczsimError:
            continue
        if stored.record.get("inputs") == inputs[file]:
            kept[file] = stored
    return kept


def _exit_code(stored: StoredResult) -> int:
    return 0 if stored.record.get("status") == "done" else 1


def _solve(job: Job, networks: Networks, base: RunResult | None, progress: Progress) -> RunResult:
    network = networks.load(job.spec)
    title = f"{job.spec.name}: solve"
    limit = job.spec.assignment.max_iterations
    with progress.step(title):
        return run_scenario(
            job.spec,
            network,
            base=base,
            on_iteration=lambda r: progress.update(
                r.iteration / limit, f"gap {r.relative_gap:.1e}, iteration {r.iteration}"
            ),
        )


def _status(spec: ScenarioSpec, result: RunResult, strict: bool) -> tuple[str, bool]:
    """Return the words for how a run ended, and whether it fell short of what was asked."""
    short = []
    road = result.equilibrium.road
    if not road.converged:
        short.append(
            f"not converged: relative gap {road.relative_gap:.1e} after {road.iterations} "
            f"iterations ({road.status}), asked for {spec.assignment.relative_gap:.0e}"
        )
    elif result.equilibrium.demand_residual > spec.assignment.demand_residual:
        short.append(
            f"not converged: mode choice would still move "
            f"{100 * result.equilibrium.demand_residual:.2g} % of all trips"
        )
    lost = lost_share(result.ledger)
    if lost > spec.tolerances.lost_demand:
        short.append(
            f"{100 * lost:.2g} % of all trips found no way, tolerated are "
            f"{100 * spec.tolerances.lost_demand:.2g} %"
        )
    missed = [row.key for row in result.targets if row.met is False]
    if strict and missed:
        short.append(f"targets missed: {', '.join(missed)}")
    return "; ".join(short) if short else "done", bool(short)


def _page(
    result: RunResult, base: RunResult | None, comparison: Comparison | None, lang: str
) -> str:
    from cczsim.report.page import render

    return render(result, base, comparison, "zh" if lang == "zh" else "en")


def _say_result(
    progress: Progress, job: Job, result: RunResult, comparison: Comparison | None, status: str
) -> None:
    progress.say("")
    progress.say(f"{result.title} ({result.name}): {status}")
    for change in result.changes:
        progress.say(f"  change {change.index}: {change.summary}")
    for line in scoreboard(result.targets):
        progress.say(line)
    for line in main_figures(result, comparison):
        progress.say(line)
    progress.say(f"  page: {job.folder / 'report.html'}")
    progress.say("")


def validate(path: Path, *, progress: Progress | None = None) -> int:
    """Check a scenario and the one it is compared to: everything short of solving.

    Raises
    ------
    CczsimError
        With every fault of both.
    """
    progress = progress or Progress()
    jobs = plan_jobs([path], Path())
    networks, faults = Networks(progress), FaultCollector(ScenarioError)
    for job in jobs.values():
        try:
            network = networks.load(job.spec)
            changed, applied = prepare(job.spec, network)
            check_targets(job.spec, changed)
        except CczsimError as error:
            faults.extend(f for f in error.faults if f not in faults.faults)
            continue
        write_line(
            f"{job.spec.name}: valid, {len(applied)} changes, {len(job.spec.targets)} targets"
        )
        for change in applied:
            write_line(f"  change {change.index}: {change.summary}")
    faults.raise_if_any()
    return 0


def compare(a: Path, b: Path, *, progress: Progress | None = None) -> int:  # noqa: ARG001
    """Set two result folders side by side."""
    first, second = read_result(a), read_result(b)
    table = compare_indicators(
        first.name, second.name, first.indicators, second.indicators, first.noise, second.noise
    )
    for line in comparison_lines(table):
        write_line(line)
    return 0


def schema() -> int:
    """Write the JSON Schema of scenario files."""
    write_line(json.dumps(json_schema(), ensure_ascii=False, indent=2))
    return 0


def explain(key: str) -> int:
    """Say what a key of a scenario file means."""
    write_line(explain_key(key))
    return 0


def diff(a: Path, b: Path, *, progress: Progress | None = None) -> int:
    """Say what scenario B changes against A: keys, and what each change finds in the network."""
    progress = progress or Progress()
    faults = FaultCollector(ScenarioError)
    specs: list[ScenarioSpec] = []
    for path in (a, b):
        try:
            specs.append(read_scenario(path))
        except CczsimError as error:
            faults.extend(f for f in error.faults if f not in faults.faults)
    faults.raise_if_any()
    networks = Networks(progress)
    applied = [apply_changes(networks.load(spec), spec.changes, spec.origins)[1] for spec in specs]
    first, second = specs
    write_line(f"{first.name} → {second.name}")
    lines = list(key_differences(first.plain, second.plain))
    for line in lines:
        write_line(f"  {line}")
    old = [json.dumps(c, sort_keys=True) for c in first.plain.get("changes", [])]
    new = [json.dumps(c, sort_keys=True) for c in second.plain.get("changes", [])]
    said = [
        f"  change {change.index}: {change.summary}"
        for change, plain in zip(applied[1], new, strict=True)
        if plain not in old
    ]
    said += [
        f"  no longer: {change.summary}"
        for change, plain in zip(applied[0], old, strict=True)
        if plain not in new
    ]
    for line in said:
        write_line(line)
    if not lines and not said:
        write_line("  nothing")
    return 0


def init(folder: Path, *, progress: Progress | None = None) -> int:
    """Write a small commented scenario to start from.

    Raises
    ------
    OutputError
        A file of that name stands there, or the disk refuses.
    """
    from cczsim.io.scenario_example import example

    progress = progress or Progress()
    path = folder / "example.toml"
    if path.exists():
        raise OutputError.of(str(path), "a file", "a free name", "choose another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(example(folder), encoding="utf-8", newline="\n")
    except OSError as error:
        said = error.strerror or str(error)
        raise OutputError.of(str(folder), said, "a folder that can be written") from None
    write_line(f"wrote {path}; now: cczsim run {path}")
    return 0
