"""A scenario: every key with its unit, default, meaning and source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from cczsim.assignment.transit_params import TransitParams
from cczsim.demand.params import DemandParams
from cczsim.errors import ScenarioError
from cczsim.indicators.conventions import CONVENTIONS
from cczsim.scenario.change_spec import CHANGES, Change
from cczsim.scenario.keys import REQUIRED, key, params
from cczsim.scenario.lot_keys import ParkRideKeys
from cczsim.scenario.period_keys import PeriodKeys, period_faults
from cczsim.scenario.reader import Node, Reader, as_node
from cczsim.scenario.uncertainty import Uncertain
from cczsim.scenario.versions import up_to_date

ALGORITHMS: Final = ("b", "bfw", "cfw", "fw")
LANGUAGES: Final = ("en", "zh")


@dataclass(frozen=True, kw_only=True)
class AssignmentKeys:
    """How far the equilibrium is taken."""

    algorithm: str = key(
        "choice", "road assignment algorithm", choices=ALGORITHMS, default="b",
        source="b: Dial (2006); bfw and cfw: Mitradjieva and Lindberg (2013)",
    )  # fmt: skip
    relative_gap: float = key(
        "number", "(TSTT − SPTT) / TSTT at which roads are in equilibrium", default=1e-4,
        above=0.0, high=1.0, source="the trade's habit; Boyce et al. (2004)",
    )  # fmt: skip
    street_delay: float | None = key(
        "number", "relative delay at capacity (alpha of the BPR function) of urban streets, in "
        "place of the network's: of primary, secondary and lesser roads, not of expressways",
        low=0.0, high=20.0,
        source="the network's: 0.15 (BPR, 1964) of class tables; the Highway Capacity Manual 2010 "
        "puts speeds of urban streets at capacity at 30 to 40 % of their base free-flow speed",
    )  # fmt: skip
    max_iterations: int = key("integer", "iterations at most", default=1000, low=1)
    demand_residual: float = key(
        "quantity", "share of all trips that mode choice may still want to move",
        dimension="share", default="0.01 %", above=0.0, high=1.0, source="assumed",
    )  # fmt: skip
    destination_residual: float = key(
        "quantity", "share of all trips that costs may still take to other places, where "
        "demand.destination_choice is equilibrium", dimension="share", default="0.01 %",
        above=0.0, high=1.0, source="assumed",
    )  # fmt: skip
    transit_gap: float = key(
        "number", "share of passengers' cost that better strategies could still save, where "
        "transit.crowding is not off", default=1e-4, above=0.0, high=1.0, source="assumed",
    )  # fmt: skip
    max_rounds: int = key(
        "integer", "rounds at most in which roads, crowded lines and destinations take each "
        "other's costs", default=40, low=1,
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class DensityKeys:
    """How road density is counted where nothing else is said."""

    convention: str = key(
        "choice", "convention that the report marks", choices=tuple(CONVENTIONS),
        default="cn-urban",
        source="GB 50220 and CJJ 37 practice: urban streets, carriageways merged",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ToleranceKeys:
    """What a run may fall short of before its exit code is 1."""

    lost_demand: float = key(
        "quantity", "share of trips that may find no way", dimension="share", default="0.1 %",
        low=0.0, high=1.0, source="assumed",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class NotModelled:
    """A target that the scoreboard shows without a verdict."""

    rule: str = key("text", "what the plan says", default=REQUIRED)
    why: str = key("text", "why the model cannot judge it", default=REQUIRED)
    label: str | None = key("text", "name of the target, for the report")
    label_zh: str | None = key("text", "name of the target in Chinese")
    rule_zh: str | None = key("text", "what the plan says, in Chinese")
    why_zh: str | None = key("text", "why the model cannot judge it, in Chinese")
    shows: tuple[str, ...] = key(
        "texts", "figures shown beside it as evidence, named as in targets, without a verdict",
        default=[],
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Observation:
    """A figure that is known of the place; the report sets the model's beside it."""

    figure: str = key("text", "figure of the model, named as in targets", default=REQUIRED)
    value: float = key("number", "what was observed, in the unit of the figure", default=REQUIRED)
    per: str = key(
        "choice", "whether what was observed is of an hour as the modelled one, or of a day, with "
        "which an hour's figure over demand.peak_share compares", choices=("hour", "day"),
        default="hour",
    )  # fmt: skip
    source: str = key("text", "who observed it, when and where", default=REQUIRED)
    source_zh: str | None = key("text", "the same in Chinese")
    label: str | None = key("text", "name, for the report")
    label_zh: str | None = key("text", "name in Chinese")


@dataclass(frozen=True, kw_only=True)
class ReportKeys:
    """How the page opens."""

    lang: str = key("choice", "language the report opens in", choices=LANGUAGES, default="en")


@dataclass(frozen=True, kw_only=True)
class DemandKeys:
    """Who travels, and by what."""

    params: DemandParams = params(DemandParams)
    population_growth: dict[str, float] | None = key(
        "by_area", "growth of residents since the network's year", dimension="share", above=-1.0,
        high=10.0,
    )  # fmt: skip
    jobs_growth: dict[str, float] | None = key(
        "by_area", "growth of jobs since the network's year", dimension="share", above=-1.0,
        high=10.0,
    )  # fmt: skip
    length_factors: str | None = key(
        "path", "CSV from_km,to_km,factor that the pull between zones is multiplied with by the "
        "distance along streets; cczsim demand calibrate makes one",
    )  # fmt: skip
    observed: str | None = key(
        "path", "trips by mode as they were observed on the network before all changes, in place "
        "of generation and distribution: OMX with car, transit, active, or CSV origin,destination,"
        "car,transit,active; changes of cost shift them",
    )  # fmt: skip
    length_bands: Any = field(default=None, metadata={"loaded": "length_factors, put in by io"})
    read_observed: Any = field(
        default=None, metadata={"loaded": "reads observed by the ids of zones, put in by io"}
    )


@dataclass(frozen=True, kw_only=True)
class ScenarioSpec:
    """A scenario with every default filled in, quantities in SI.

    Parameters
    ----------
    name : str
        Stem of the file; names the result folder.
    plain : dict
        The same as users write it, every default filled in.
    origins : dict of str to str
        ``changes[1].select.name`` to ``file:line`` or ``default``.
    paths : dict of str to str
        Keys that name a file or folder, to where it is found from here.
    notes : tuple of str
        What was done to bring files of older versions of the format up to date.
    """

    cczsim: int = key("integer", "version of the format of this file", default=REQUIRED)
    title: str = key("text", "one line that says what this is", default=REQUIRED)
    title_zh: str | None = key("text", "the title in Chinese, for the report")
    network: str = key(
        "path", "recipe of the network, or a folder or file that holds one", default=REQUIRED
    )
    extends: str | None = key("path", "scenario that everything not said here comes from")
    changes_from_base: bool = key(
        "boolean", "whether the changes of the extended scenario come first", default=True
    )
    compare_to: str | None = key("path", "scenario that the report compares this one with")
    year: int = key("integer", "year that is modelled", default=REQUIRED, low=1900, high=2200)
    demand: DemandKeys = key("table", "who travels, and by what", table=DemandKeys, default={})
    assignment: AssignmentKeys = key(
        "table", "how far the equilibrium is taken", table=AssignmentKeys, default={}
    )
    transit: TransitParams = key(
        "table", "how passengers weigh their time", table=TransitParams, default={}
    )
    periods: dict[str, PeriodKeys] = key(
        "sections", "periods of the day, by name, each modelled by a mean hour beside the modelled "
        "one; the day is their sum", table=PeriodKeys, default={},
    )  # fmt: skip
    park_and_ride: ParkRideKeys = key(
        "table", "car parks at stops, and how people weigh them", table=ParkRideKeys, default={}
    )
    density: DensityKeys = key(
        "table", "how road density is counted", table=DensityKeys, default={}
    )
    tolerances: ToleranceKeys = key(
        "table", "what a run may fall short of", table=ToleranceKeys, default={}
    )
    targets: dict[str, str] = key(
        "rules", "rules that the scoreboard checks, by name of the figure", default={}
    )
    not_modelled: dict[str, NotModelled] = key(
        "sections", "targets of the plan that this model cannot judge, by name, each with its why",
        table=NotModelled, default={},
    )  # fmt: skip
    observations: dict[str, Observation] = key(
        "sections", "figures that are known of the place, by name; the model's stand beside them",
        table=Observation, default={},
    )  # fmt: skip
    changes: tuple[Change, ...] = key("variants", "what is changed, in order", default=[])
    uncertainty: dict[str, Uncertain] = key(
        "sections", "what is not known for sure, by name; drawn by rank, left alone by run",
        table=Uncertain, default={},
    )  # fmt: skip
    report: ReportKeys = key("table", "how the report opens", table=ReportKeys, default={})

    name: str
    plain: dict[str, Any]
    origins: dict[str, str]
    paths: dict[str, str]
    notes: tuple[str, ...] = ()


def read_spec(tree: Node, name: str, resolve: Callable[[str, Node, str], str]) -> ScenarioSpec:
    """Read a merged tree.

    Parameters
    ----------
    tree : Node
        An ``extends`` whose value is None marks a tree whose base could not be read: then nothing
        is missed that the base may hold.
    name : str
    resolve : callable
        See :class:`~cczsim.scenario.keys.Reader`.

    Raises
    ------
    ScenarioError
        With every fault.
    """
    reader = Reader(resolve, {"changes": dict(CHANGES)}, partial=base_unknown(tree))
    tree, notes = up_to_date(tree)
    known = {
        "name": name, "plain": {}, "origins": reader.origins, "paths": reader.paths, "notes": notes,
    }  # fmt: skip
    spec, plain = reader.section(ScenarioSpec, tree, (), **known)
    if reader.faults or spec is None:
        raise ScenarioError(reader.faults)
    assert isinstance(spec, ScenarioSpec)
    together = period_faults(spec.periods, reader.origins)
    if together:
        raise ScenarioError(together)
    return replace(spec, plain=plain)


def base_unknown(tree: Node) -> bool:
    """Return whether a tree is marked as one whose ``extends`` could not be read."""
    extends = tree.value.get("extends") if isinstance(tree.value, dict) else None
    return extends is not None and extends.value is None


def spec_from(values: Mapping[str, Any], name: str = "scenario") -> ScenarioSpec:
    """Read a scenario from plain values, as a program would write them; paths stay as they are.

    Raises
    ------
    ScenarioError
        With every fault.
    """
    return read_spec(as_node(values), name, lambda text, _node, _key: text)
