"""Scenario files: check them, tell them apart, explain their keys; results side by side."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from cczsim.errors import CczsimError, FaultCollector, OutputError, ScenarioError
from cczsim.io.results import read_result
from cczsim.io.scenario_docs import explain_key, json_schema
from cczsim.io.scenario_file import read_scenario
from cczsim.pipeline.progress import Progress
from cczsim.pipeline.runs import Networks, plan_jobs
from cczsim.pipeline.summary import comparison_lines, key_differences, write_line
from cczsim.scenario.changes import apply_changes
from cczsim.scenario.compare import compare_indicators
from cczsim.scenario.figures import check_targets
from cczsim.scenario.run import prepare
from cczsim.scenario.spec import ScenarioSpec


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
        counts = (_counted(len(applied), "change"), _counted(len(job.spec.targets), "target"))
        write_line(f"{job.spec.name}: valid, {', '.join(counts)}")
        for note in job.spec.notes:
            write_line(f"  note: {note}")
        for change in applied:
            write_line(f"  change {change.index}: {change.summary}")
    faults.raise_if_any()
    return 0


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def compare(a: Path, b: Path, *, everything: bool = False, progress: Progress | None = None) -> int:  # noqa: ARG001
    """Set two result folders side by side: figures of the whole region, or all of them."""
    first, second = read_result(a), read_result(b)
    table = compare_indicators(
        first.name, second.name, first.indicators, second.indicators, first.noise, second.noise
    )
    for line in comparison_lines(table, everything):
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


def init(folder: Path, *, town: bool = False, progress: Progress | None = None) -> int:  # noqa: ARG001
    """Write something to start from: a commented scenario, or a whole example town.

    Parameters
    ----------
    folder : Path
    town : bool
        Write the tables of a small made-up town, a base and a plan; also done where the network
        of the home region, which the scenario else starts from, is not there.

    Raises
    ------
    OutputError
        A file of that name stands there, or the disk refuses.
    """
    from cczsim.io import scenario_example

    region = None if town else scenario_example.region()
    if region is not None:
        text = scenario_example.example(folder, region)
        made, first = {"example.toml": text.encode()}, "example.toml"
    else:
        made, first = dict(scenario_example.town()), "plan.toml"
    for name in made:
        if (folder / name).exists():
            raise OutputError.of(
                str(folder / name), "a file", "a free name", "choose another folder"
            )
    try:
        for name, data in made.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)
    except OSError as error:
        said = error.strerror or str(error)
        raise OutputError.of(str(folder), said, "a folder that can be written") from None
    for name in made:
        if name.endswith(".toml"):
            write_line(f"wrote {folder / name}")
    write_line(f"now: cczsim run {shlex.quote(str(folder / first))}")
    return 0
