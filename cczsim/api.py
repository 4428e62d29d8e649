"""What Python programs call: the names that ``import cczsim`` offers.

Networks and results are the frozen objects that the commands work on; :func:`frame` and
:func:`tables` turn them into pandas and GeoPandas. Nothing here prints. Faults are raised as
:class:`~cczsim.errors.CczsimError`, whose ``faults`` name place, what was found and what was
expected.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from cczsim.assignment.result import IterationRecord, RoadAssignment, TransitAssignment
from cczsim.columns import Array
from cczsim.errors import InputError
from cczsim.indicators.indicator import Indicator
from cczsim.io.results import StoredResult, read_result
from cczsim.network.network import Network
from cczsim.scenario.compare import Comparison, ComparisonRow
from cczsim.scenario.result import AppliedChange, Assumption, LedgerRow, RunResult, TargetRow
from cczsim.scenario.spec import ScenarioSpec

if TYPE_CHECKING:
    import geopandas
    import pandas

PathLike: TypeAlias = str | Path
Row: TypeAlias = (
    Indicator | ComparisonRow | LedgerRow | TargetRow | AppliedChange | Assumption | IterationRecord
)


def build(source: PathLike, out: PathLike | None = None) -> Network:
    """Build a network from a recipe or an OSM extract, and save it to a folder if one is named.

    Raises
    ------
    CczsimError
        Every fault of the recipe; a folder that cannot be written.
    """
    network = load(source)
    if out is not None:
        save(network, out)
    return network


def load(path: PathLike) -> Network:
    """Return the network that a path names: a built folder, a recipe, OSM, TNTP or GMNS.

    Raises
    ------
    InputError
        Nothing there is a network.
    """
    from cczsim.pipeline.networks import load_network
    from cczsim.pipeline.progress import Progress

    return load_network(path, Progress(quiet=True))


def save(network: Network, folder: PathLike) -> None:
    """Write a network to a folder, from which :func:`load` gives back the same bits.

    Raises
    ------
    OutputError
        The folder holds something else, or cannot be written.
    """
    from cczsim.io.bundle import save_network

    save_network(network, folder)


def read_trips(path: PathLike, network: Network, name: str | None = None) -> Array:
    """Return a trip matrix ``[zone, zone], trips/h`` in the order of a network's zones.

    Parameters
    ----------
    path : str or Path
        OMX, CSV or TNTP.
    network : Network
    name : str, optional
        Matrix within an OMX file that holds several.

    Raises
    ------
    InputError
        Every fault of the file; a network without zones.
    """
    from cczsim.io.matrices import read_matrix

    return read_matrix(Path(path), _zones(network).zone_id, name)


def assign(
    network: Network,
    trips: Array,
    *,
    algorithm: str = "b",
    gap: float = 1e-6,
    max_iterations: int = 1000,
    toll_factor: float = 0.0,
    distance_factor: float = 0.0,
) -> RoadAssignment:
    """Assign trips to the roads of a network: user equilibrium.

    Parameters
    ----------
    network : Network
        With zones.
    trips : array [zone, zone], trips/h
    algorithm : str
        ``b``, ``bfw``, ``cfw``, ``fw``, ``msa`` or ``aon``.
    gap : float
        Relative gap to stop at.
    max_iterations : int
    toll_factor, distance_factor : float
        In the network file's own units, as ``cczsim assign`` takes them: minutes for a unit of
        toll or length for TNTP, seconds for built networks.

    Returns
    -------
    RoadAssignment
        In SI. Not converging is its ``status``; what no path could carry is ``unreachable``.

    Raises
    ------
    AssignmentError
        An unknown algorithm; trips that do not fit the zones.
    """
    from cczsim.assignment.algorithms import params_of, solve

    time_unit = float(network.info.build.get("time_unit_s", 1.0))
    length_unit = float(network.info.build.get("length_unit_m", 1.0))
    return solve(
        network.road, _zones(network), trips, params_of(algorithm, gap, max_iterations),
        toll_factor=toll_factor * time_unit,
        distance_factor=distance_factor * time_unit / length_unit, turns=network.turns,
    )  # fmt: skip


def transit_assign(network: Network, trips: Array) -> TransitAssignment:
    """Assign trips to the lines of a network by optimal strategies.

    Parameters
    ----------
    network : Network
        With zones and lines.
    trips : array [zone, zone], trips/h

    Raises
    ------
    InputError
        A network without lines.
    AssignmentError
        Trips that do not fit the zones.
    """
    from cczsim.assignment.transit import assign_transit

    if network.transit is None:
        raise InputError.of(network.info.name, "a network without lines", "lines to ride on")
    return assign_transit(network.transit, _zones(network), trips)


def read_scenario(path: PathLike) -> ScenarioSpec:
    """Read a scenario file with all that it extends.

    Raises
    ------
    CczsimError
        With every fault, by file and line.
    """
    from cczsim.io.scenario_file import read_scenario as read

    return read(Path(path))


def run(
    spec: ScenarioSpec | PathLike,
    *,
    network: Network | None = None,
    base: RunResult | None = None,
) -> RunResult:
    """Run a scenario and return its result; no file is written.

    Parameters
    ----------
    spec : ScenarioSpec or path
    network : Network, optional
        In place of the one that the scenario names, before its changes.
    base : RunResult, optional
        What its targets are held against.

    Raises
    ------
    CczsimError
        A change that cannot be applied; a demand that cannot be computed.
    """
    from cczsim.scenario.run import run_scenario

    if not isinstance(spec, ScenarioSpec):
        spec = read_scenario(spec)
    return run_scenario(spec, network or load(spec.network), base=base)


def compare(
    a: RunResult | StoredResult | PathLike, b: RunResult | StoredResult | PathLike
) -> Comparison:
    """Set two results side by side, and say which differences their gaps could explain.

    Parameters
    ----------
    a, b : RunResult, StoredResult or path of a result folder
        ``a`` is the base.
    """
    from cczsim.scenario.compare import compare_indicators, noise

    one, two = (x if isinstance(x, RunResult | StoredResult) else read_result(x) for x in (a, b))
    first, second = (noise(x) if isinstance(x, RunResult) else x.noise for x in (one, two))
    return compare_indicators(one.name, two.name, one.indicators, two.indicators, first, second)


def density(
    network: Network, area: str | None = None, convention: str | None = None, *,
    centrelines: bool = False,
) -> list[dict[str, Any]]:  # fmt: skip
    """Measure road density; a row for each area and convention.

    Parameters
    ----------
    network : Network
    area : str, optional
        A tier, a district or ``all``; every area of the network's own zones where None.
    convention : str, optional
        Name of one convention; all that count any street where None.
    centrelines : bool
        Draw dual carriageways as one line first, where other conventions count each half.

    Returns
    -------
    list of dict
        ``area, convention, classes, merged, length_km, area_km2, density_km_per_km2``.

    Raises
    ------
    IndicatorError
        An unknown area or convention.
    """
    from cczsim.indicators.conventions import convention as find_convention
    from cczsim.pipeline.density import measure, with_centrelines

    if centrelines:
        network = with_centrelines(network)
    return measure(network, area, None if convention is None else find_convention(convention))


def rank(
    scenarios: Sequence[PathLike],
    out: PathLike,
    *,
    by: Sequence[str] = (),
    uncertainty: PathLike | None = None,
    samples: int | None = None,
    seed: int = 0,
    gap: float | None = None,
    workers: int = 1,
) -> dict[str, Any]:
    """Rank scenarios in the same draws of what is not known; return what ``rank.json`` holds.

    Parameters
    ----------
    scenarios : sequence of paths
    out : path
        Folder for the ranking and its page.
    by : sequence of str
        Figures to rank by; see ``cczsim rank --help``.
    uncertainty : path, optional
        Ranges that are drawn from.
    samples : int, optional
    seed : int
    gap : float, optional
        Relative gap that bushes bring every run to, samples starting from their scenario as it is.
    workers : int
        Processes.

    Raises
    ------
    CczsimError
        With every fault of the files, and of samples that could not be run.
    """
    from contextlib import redirect_stdout
    from io import StringIO

    from cczsim.pipeline.progress import Progress
    from cczsim.pipeline.rank import rank as rank_files

    with redirect_stdout(StringIO()):
        rank_files(
            [Path(path) for path in scenarios], by=by, samples=samples, seed=seed, gap=gap,
            workers=workers, uncertainty=None if uncertainty is None else Path(uncertainty),
            out=Path(out), progress=Progress(quiet=True),
        )  # fmt: skip
    found: dict[str, Any] = json.loads((Path(out) / "rank.json").read_text(encoding="utf-8"))
    return found


def tables(result: RunResult) -> dict[str, geopandas.GeoDataFrame]:
    """Return the ``links``, ``lines``, ``stops`` and ``zones`` of a result with their geometry.

    The columns are those of the files in a result folder. Lines and stops are missing where the
    network has none.
    """
    from cczsim.io.result_tables import lines_table, links_table, stops_table, zones_table

    made = {
        "links": links_table(result), "lines": lines_table(result),
        "stops": stops_table(result), "zones": zones_table(result),
    }  # fmt: skip
    return {name: table for name, table in made.items() if table is not None}


def frame(rows: Iterable[Row] | Comparison) -> pandas.DataFrame:
    """Return a DataFrame of indicators, a comparison, a ledger, targets or a solver's history.

    What a figure is restricted to (``by``) becomes columns of its own.
    """
    import pandas as pd

    items = rows.rows if isinstance(rows, Comparison) else tuple(rows)
    plain = []
    for item in items:
        row = {f.name: getattr(item, f.name) for f in dataclasses.fields(item)}
        by = row.pop("by", {})
        if isinstance(item, ComparisonRow):
            row |= {"difference": item.difference, "share": item.share}
        plain.append({"key": row.pop("key"), **row, **by} if "key" in row else row)
    return pd.DataFrame(plain)


def _zones(network: Network) -> Any:
    if network.zones is None:
        raise InputError.of(
            network.info.name, "a network without zones", "zones that trips go between"
        )
    return network.zones
