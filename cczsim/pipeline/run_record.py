"""What a run was made from and on: hashes of inputs, versions, machine."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import cczsim
from cczsim.scenario.result import PeriodRun, RunResult
from cczsim.scenario.spec import ScenarioSpec

_LIBRARIES: Final = (
    "numpy",
    "numba",
    "scipy",
    "shapely",
    "pyproj",
    "pandas",
    "geopandas",
    "pyarrow",
)


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith((".", "~")))


@lru_cache(maxsize=1)
def code_hash() -> str:
    """Return the SHA-256 over the package's own source and tables, so that results name it."""
    root = Path(cczsim.__file__).parent
    digest = hashlib.sha256()
    for path in _files(root):
        if path.suffix not in (".pyc", ".nbi", ".nbc"):
            digest.update(path.relative_to(root).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


def input_hashes(spec: ScenarioSpec, network_inputs: Iterable[Path]) -> dict[str, str]:
    """Return the hash of every input of a scenario by a name that no machine changes.

    The resolved scenario stands for the scenario files; a file is named by its folder and name.
    """
    plain = json.dumps(spec.plain, ensure_ascii=False, sort_keys=True)
    out = {
        "cczsim": code_hash(),
        "scenario": hashlib.sha256(plain.encode()).hexdigest(),
    }
    named = [
        Path(p) for k, p in spec.paths.items() if k not in ("network", "extends", "compare_to")
    ]
    files = [*network_inputs, *(f for path in named for f in _files(path))]
    for file in dict.fromkeys(files):
        name = f"{file.parent.name}/{file.name}"
        while name in out:
            name += "'"
        out[name] = file_hash(file)
    return dict(sorted(out.items()))


def versions() -> dict[str, str]:
    """Return the versions of cczsim, Python and the libraries that compute."""
    found = {name: metadata.version(name) for name in _LIBRARIES}
    return {"cczsim": cczsim.__version__, "python": platform.python_version(), **found}


def run_record(
    spec: ScenarioSpec,
    result: RunResult,
    base: str | None,
    inputs: Mapping[str, str],
    status: str,
    noise: float,
    threads: int,
    seconds: Mapping[str, float],
) -> dict[str, Any]:
    """Return the content of ``run.json``; times, threads and machine stand under ``this_run``."""
    road = result.equilibrium.road
    history = [
        {
            "iteration": r.iteration,
            "relative_gap": r.relative_gap,
            "average_excess_cost_s": r.average_excess_cost,
            "objective": r.objective,
            "demand_residual": r.demand_residual,
        }
        for r in road.history
    ]
    transit = result.equilibrium.transit
    transit_history = [
        {
            "iteration": r.iteration,
            "relative_gap": r.relative_gap,
            "given_up": r.given_up,
            "fullest": r.fullest,
        }
        for r in (transit.history if transit is not None else ())
    ]
    rounds = [
        {
            "round": r.iteration,
            "road_gap": r.road_gap,
            "transit_gap": r.transit_gap,
            "demand_residual": r.demand_residual,
            "destination_residual": r.destination_residual,
        }
        for r in result.equilibrium.rounds
    ]
    return {
        "cczsim": cczsim.__version__,
        "format": spec.cczsim,
        "name": spec.name,
        "title": spec.title,
        "compared_to": base,
        "status": status,
        "algorithm": road.algorithm,
        "relative_gap": road.relative_gap,
        "demand_residual": result.equilibrium.demand_residual,
        "transit_gap": transit.relative_gap if transit is not None else None,
        "noise": noise,
        "iterations": road.iterations,
        "seed": None,
        "inputs": dict(inputs),
        "versions": versions(),
        "history": history,
        "transit_history": transit_history,
        "rounds": rounds,
        **({"periods": [_period(run) for run in result.periods]} if result.periods else {}),
        "this_run": {
            "threads": threads,
            "machine": {
                "system": platform.system(),
                "processor": platform.machine(),
                "cpus": os.cpu_count(),
                "byte_order": sys.byteorder,
            },
            "seconds": {k: round(v, 3) for k, v in seconds.items()},
            "history_seconds": [round(r.seconds, 4) for r in road.history],
        },
    }


def _period(run: PeriodRun) -> dict[str, Any]:
    """Return how a mean hour of a period came to its end."""
    found = run.result.equilibrium
    return {
        "name": run.name,
        "hours": run.hours,
        "converged": found.converged,
        "relative_gap": found.road.relative_gap,
        "demand_residual": found.demand_residual,
        "iterations": found.road.iterations,
    }
