"""Run scenarios, each with the base it is compared to, and take up runs that were interrupted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from cczsim.assignment.result import IterationRecord
from cczsim.errors import CczsimError, FaultCollector, OutputError, ScenarioError
from cczsim.io.checkpoints import digest
from cczsim.io.folder_lock import lock_folder
from cczsim.io.results import StoredResult, check_place, is_result, read_result, write_result
from cczsim.io.scenario_docs import resolved_toml
from cczsim.io.scenario_file import read_scenario
from cczsim.network.network import Network
from cczsim.pipeline.kept_steps import KeptSteps
from cczsim.pipeline.networks import load_network, network_inputs
from cczsim.pipeline.progress import Progress
from cczsim.pipeline.run_record import input_hashes, run_record, versions
from cczsim.pipeline.summary import MAIN, main_figures, observed, parts_apart, scoreboard
from cczsim.scenario.compare import Apart, Comparison, apart, compare_indicators, noise
from cczsim.scenario.compare import compare as compare_runs
from cczsim.scenario.figures import check_targets
from cczsim.scenario.ledger import lost_share
from cczsim.scenario.result import AppliedChange, RunResult
from cczsim.scenario.run import prepare, run_scenario
from cczsim.scenario.spec import ScenarioSpec
from cczsim.scenario.weights import weigh

LOG: Final = "cczsim.log"
"""Where all that a run says is written, in the folder of results."""

Prepared = tuple[Network, tuple[AppliedChange, ...]]
_MISSED: Final = "targets missed: "


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
    scenario and program, bit for bit; an equilibrium that an interrupted run had found is taken
    in place of solving, and one that it was on its way to is gone on with. What is written is the
    same to the bit. All that is said goes to
    ``out/cczsim.log`` too, with times.

    Returns
    -------
    int
        0; or 1 where a run did not converge, lost more demand than tolerated, or (``strict``)
        missed a target.

    Raises
    ------
    OutputError
        Another run is writing one of the folders, or one cannot be written: before anything runs.
    """
    progress = progress or Progress()
    jobs = plan_jobs(paths, out)
    for job in jobs.values():
        check_place(job.folder)
        for note in job.spec.notes:
            progress.say(f"note: {note}")
    with ExitStack() as held:
        for job in jobs.values():
            held.enter_context(lock_folder(job.folder))
        try:
            held.enter_context(progress.log_to(out / LOG))
        except OSError as error:
            raise OutputError.of(
                str(out / LOG), error.strerror or str(error), "a log that can be written"
            ) from None
        return _run_jobs(jobs, out, threads, resume, lang, strict, progress)


def _run_jobs(
    jobs: dict[Path, Job],
    out: Path,
    threads: int | None,
    resume: bool,
    lang: str | None,
    strict: bool,
    progress: Progress,
) -> int:
    from cczsim.assignment.threads import set_threads

    used = set_threads(threads)
    inputs = {
        file: input_hashes(job.spec, network_inputs(job.spec.network)) for file, job in jobs.items()
    }
    kept = _finished(jobs, inputs) if resume else {}
    needed = {job.base for file, job in jobs.items() if file not in kept}
    networks, steps, code = Networks(progress), KeptSteps(out, resume, progress), 0
    ready = _prepare(
        {f: j for f, j in jobs.items() if f not in kept or f in needed}, networks, progress
    )
    results: dict[Path, RunResult] = {}
    for file, job in jobs.items():
        if file in kept:
            progress.say(f"{job.spec.name}: kept, finished before from the same inputs")
            code = max(code, _exit_code(kept[file], strict))
            if file not in needed:
                continue
        base = results.get(job.base) if job.base is not None else None
        result = _solve(job, networks, ready.pop(file), base, steps, inputs[file], progress)
        results[file] = result
        if file in kept:
            continue
        with progress.step(f"{job.spec.name}: weigh assumptions"):
            weighed = weigh(job.spec, result, networks.load(job.spec))
            result = replace(result, assumptions=weighed)
        status, missed = _status(job.spec, result, strict)
        code = max(code, 1 if missed else 0)
        comparison = compare_runs(base, result) if base is not None else None
        if base is not None and _places_of(base) != _places_of(result):
            progress.say(
                f"note: {job.spec.name} chooses destinations by other costs than {base.name}: "
                "differences between the two are of that too (demand.destination_choice)"
            )
        with progress.step(f"{job.spec.name}: write result"):
            page = _page(
                result, base, comparison, lang or job.spec.report.lang,
                _beside(result, [results.get(f) or kept[f] for f in _siblings(jobs, file)]),
            )  # fmt: skip
            record = run_record(
                job.spec, result, base.name if base else None, inputs[file], status,
                noise(result), used, progress.seconds,
            )  # fmt: skip
            text = resolved_toml(job.spec, job.folder)
            write_result(result, base, comparison, job.folder, page, record, text)
        _say_result(progress, job, result, comparison, status)
    for line in parts_apart(_of_one_base(jobs, results)):
        progress.say(line)
    for job in jobs.values():
        steps.drop(job.spec.name)
    return code


def _places_of(result: RunResult) -> object:
    """Return what destinations of a run are chosen by."""
    demand = result.spec.get("demand", {})
    return demand.get("destination_choice"), demand.get("observed")


def _of_one_base(jobs: dict[Path, Job], results: dict[Path, RunResult]) -> list[list[RunResult]]:
    """Return the results that are compared to the same base, by base."""
    groups: dict[Path, list[RunResult]] = {}
    for file, result in results.items():
        base = jobs[file].base
        if base is not None:
            groups.setdefault(base, []).append(result)
    return list(groups.values())


def _prepare(jobs: dict[Path, Job], networks: Networks, progress: Progress) -> dict[Path, Prepared]:
    """Apply the changes of all jobs before any is solved.

    Raises
    ------
    ScenarioError
        With every fault of all of them: changes, growth, names of targets.
    """
    faults = FaultCollector(ScenarioError)
    ready: dict[Path, Prepared] = {}
    for file, job in jobs.items():
        network = networks.load(job.spec)
        try:
            with progress.step(f"{job.spec.name}: apply changes"):
                ready[file] = prepare(job.spec, network)
                check_targets(job.spec, ready[file][0])
        except CczsimError as error:
            faults.extend(f for f in error.faults if f not in faults.faults)
    faults.raise_if_any()
    return ready


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


def _exit_code(stored: StoredResult, strict: bool) -> int:
    """Return the exit code of a kept result; whether targets count may be asked anew."""
    said = str(stored.record.get("status")).split("; ")
    short = [part for part in said if part != "done" and not part.startswith(_MISSED)]
    return 1 if short or (strict and stored.missed) else 0


def _solve(
    job: Job,
    networks: Networks,
    prepared: Prepared,
    base: RunResult | None,
    steps: KeptSteps,
    inputs: dict[str, str],
    progress: Progress,
) -> RunResult:
    network = networks.load(job.spec)
    name, rules = job.spec.name, job.spec.assignment
    kept = steps.of(name, digest({"inputs": inputs, "versions": versions()}))
    worst = [1.0]

    def say(record: IterationRecord) -> None:
        worst[0] = max(worst[0] if record.iteration > 1 else 0.0, record.relative_gap)
        text = f"gap {record.relative_gap:.1e}, iteration {record.iteration}"
        progress.note(f"{name}: {text}")
        progress.update(_share(record, worst[0], rules.relative_gap, rules.max_iterations), text)

    with progress.step(f"{name}: solve"):
        return run_scenario(
            job.spec,
            network,
            base=base,
            prepared=prepared,
            start=kept.start(),
            solved=kept.solved(),
            on_iteration=say,
            on_state=kept.offer,
            on_solved=kept.keep_solved,
        )


def _share(record: IterationRecord, worst: float, wanted: float, limit: int) -> float:
    """Return how far a solver has come: the logarithm of its gap falls about evenly."""
    by_count = record.iteration / limit
    if not 0.0 < wanted < worst or record.relative_gap <= 0.0:
        return by_count
    return max(by_count, math.log(worst / record.relative_gap) / math.log(worst / wanted))


def _status(spec: ScenarioSpec, result: RunResult, strict: bool) -> tuple[str, bool]:
    """Return the words for how a run ended, and whether it fell short of what was asked."""
    short = []
    road = result.equilibrium.road
    if not road.converged:
        short.append(
            f"not converged: relative gap {road.relative_gap:.1e} after {road.iterations} "
            f"iterations ({road.status}), asked for {spec.assignment.relative_gap:.0e}"
        )
    transit = result.equilibrium.transit
    if transit is not None and not transit.converged:
        short.append(
            f"passengers not converged: relative gap {transit.relative_gap:.1e} after "
            f"{transit.iterations} iterations, asked for {spec.assignment.transit_gap:.0e}"
        )
    if road.converged and result.equilibrium.demand_residual > spec.assignment.demand_residual:
        short.append(
            f"not converged: mode choice would still move "
            f"{100 * result.equilibrium.demand_residual:.2g} % of all trips"
        )
    elsewhere = result.equilibrium.destination_residual
    if road.converged and elsewhere > spec.assignment.destination_residual:
        short.append(
            f"not converged: costs would still take {100 * elsewhere:.2g} % of all trips to other "
            "places"
        )
    for period in result.periods:
        said, fell_short = _status(spec, period.result, False)
        if fell_short:
            short.append(f"{period.name}: {said}")
    lost = lost_share(result.ledger)
    if lost > spec.tolerances.lost_demand:
        short.append(
            f"{100 * lost:.2g} % of all trips found no way, tolerated are "
            f"{100 * spec.tolerances.lost_demand:.2g} %: "
            + ", ".join(row.why for row in result.ledger if row.item == "unreachable" and row.trips)
        )
    missed = [row.key for row in result.targets if row.met is False]
    if strict and missed:
        short.append(_MISSED + ", ".join(missed))
    return "; ".join(short) if short else "done", bool(short)


def _siblings(jobs: dict[Path, Job], file: Path) -> list[Path]:
    """Return the jobs before this one that are compared to the same base."""
    base, files = jobs[file].base, list(jobs)
    earlier = files[: files.index(file)]
    return [other for other in earlier if base is not None and jobs[other].base == base]


def _beside(result: RunResult, others: Sequence[RunResult | StoredResult]) -> list[Apart]:
    """Return how far other options, of this call or kept from another, lie from a result."""
    own = noise(result)
    return [
        apart(
            compare_indicators(
                other.name, result.name, other.indicators, result.indicators,
                other.noise if isinstance(other, StoredResult) else noise(other), own,
            ),
            MAIN,
        )
        for other in others
    ]  # fmt: skip


def _page(
    result: RunResult, base: RunResult | None, comparison: Comparison | None, lang: str,
    beside: Sequence[Apart],
) -> str:  # fmt: skip
    from cczsim.report.page import render

    return render(result, base, comparison, "zh" if lang == "zh" else "en", beside)


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
    for line in observed(result.observations):
        progress.say(line)
    progress.say(f"  page: {job.folder / 'report.html'}")
    progress.say("")
