"""What is not known for sure: declared ranges, drawn reproducibly, put into a scenario.

A range lies on a key of ``[demand]`` or ``[transit]``, or on a column of links or lines. Each range
is drawn apart from the others: no correlation is modelled.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cczsim.assignment.transit_params import TransitParams
from cczsim.columns import Array
from cczsim.demand.params import DemandParams
from cczsim.errors import ScenarioError, UnitError
from cczsim.network.network import Network
from cczsim.scenario.change_spec import Selector
from cczsim.scenario.keys import REQUIRED, KeySpec, key, keys_of
from cczsim.scenario.select import select_lines, select_links
from cczsim.units import parse

if TYPE_CHECKING:
    from cczsim.scenario.spec import ScenarioSpec

DISTRIBUTIONS: Final = ("uniform", "triangular", "normal", "lognormal")
LINK_COLUMNS: Final = ("links.capacity", "links.speed")
LINE_COLUMNS: Final = ("lines.headway", "lines.run_time")
_GROWTHS: Final = ("demand.population_growth", "demand.jobs_growth")
_SHARE: Final = KeySpec("quantity", "growth", dimension="share", above=-1.0, high=10.0)
_FACTOR: Final = KeySpec("number", "factor", dimension="count", above=0.0, high=100.0)
_Z95: Final = 1.6448536269514722
_TAIL: Final = 1e-3
"""Normal distributions are cut off this far into their tails, so that no draw is absurd."""


def _known() -> dict[str, KeySpec]:
    out = {f"demand.{name}": spec for name, spec in keys_of(DemandParams).items()}
    out |= {f"transit.{name}": spec for name, spec in keys_of(TransitParams).items()}
    out |= dict.fromkeys(_GROWTHS, _SHARE)
    return out | dict.fromkeys((*LINK_COLUMNS, *LINE_COLUMNS), _FACTOR)


def _spec_of(what: str) -> KeySpec | None:
    """Return what a key may hold; growth may be that of an area: ``…_growth.central``."""
    for growth in _GROWTHS:
        if what.startswith(growth + "."):
            return _SHARE
    return _known().get(what)


@dataclass(frozen=True, kw_only=True)
class Uncertain:
    """A quantity that is not known for sure, and how far it may lie."""

    what: str = key(
        "text", "a key of [demand] or [transit] such as demand.value_of_time, or one of "
        "links.capacity, links.speed, lines.headway, lines.run_time",
        default=REQUIRED,
    )  # fmt: skip
    low: str | float = key(
        "value", "least value; of a normal or lognormal, what 5 % of all cases lie below",
        default=REQUIRED,
    )  # fmt: skip
    high: str | float = key(
        "value", "greatest value; of a normal or lognormal, what 5 % of all cases lie above",
        default=REQUIRED,
    )  # fmt: skip
    likely: str | float | None = key("value", "the likeliest value of a triangular distribution")
    distribution: str = key(
        "choice", "how values lie between the bounds", choices=DISTRIBUTIONS, default="uniform"
    )
    times: bool = key(
        "boolean", "whether the values are factors on what the scenario says; those of links and "
        "lines always are",
        default=False,
    )  # fmt: skip
    select: Selector | None = key(
        "table", "which links; all streets where nothing is said", table=Selector
    )
    line: tuple[str, ...] | None = key(
        "texts", "which lines, by id or with * and ?; all where nothing is said"
    )
    note: str | None = key("text", "where the range comes from; shown in the report")

    @property
    def is_factor(self) -> bool:
        """Whether draws are factors."""
        return self.times or self.what in (*LINK_COLUMNS, *LINE_COLUMNS)

    @property
    def spec(self) -> KeySpec:
        """What the draws may be."""
        found = _FACTOR if self.is_factor else _spec_of(self.what)
        assert found is not None
        return found

    def bounds(self) -> tuple[float, float, float | None]:
        """Return low, high and likely in SI.

        Raises
        ------
        UnitError
            A value cannot be read.
        """
        kind = self.spec.dimension
        low, high = parse(self.low, kind, "low"), parse(self.high, kind, "high")
        return low, high, None if self.likely is None else parse(self.likely, kind, "likely")

    def faults(self) -> Iterator[tuple[str, str, str, str]]:
        """Check the key, and its bounds against each other and against the key's own."""
        if _spec_of(self.what) is None:
            known = list(_known())
            near = get_close_matches(self.what, known, 1, 0.5)
            hint = f"did you mean {near[0]!r}?" if near else "one of " + ", ".join(known)
            yield "what", repr(self.what), "a quantity that may be uncertain", hint
            return
        if self.times and self.what.startswith(_GROWTHS):
            yield "times", "true", "values of the growth itself", "take times out"
            return
        if self.select is not None and self.what not in LINK_COLUMNS:
            yield "select", "links", "select with links.capacity or links.speed only", ""
        if self.line is not None and self.what not in LINE_COLUMNS:
            yield "line", "lines", "line with lines.headway or lines.run_time only", ""
        if (self.likely is not None) != (self.distribution == "triangular"):
            yield "likely", "likely and distribution that do not go together", \
                'likely together with distribution = "triangular"', ""  # fmt: skip
            return
        try:
            low, high, likely = self.bounds()
        except UnitError as error:
            for fault in error.faults:
                yield fault.where, fault.found, fault.expected, fault.hint
            return
        if not low < high:
            yield "high", f"{self.high!r} with low = {self.low!r}", "more than low", ""
            return
        if likely is not None and not low <= likely <= high:
            yield "likely", repr(self.likely), "a value from low to high", ""
        if self.distribution == "lognormal" and low <= 0.0:
            yield "low", repr(self.low), "more than 0 for a lognormal", ""
            return
        ends = self.at(np.array([0.0, 1.0]))
        limits = self.spec
        for name, value in (("low", float(ends[0])), ("high", float(ends[1]))):
            if limits.low is not None and value < limits.low:
                yield name, f"values down to {value:g}", f"at least {limits.low:g}", ""
            if limits.above is not None and value <= limits.above:
                yield name, f"values down to {value:g}", f"more than {limits.above:g}", ""
            if limits.high is not None and value > limits.high:
                yield name, f"values up to {value:g}", f"at most {limits.high:g}", ""

    def at(self, share: Array) -> Array:
        """Return the values below which shares of all cases lie, in SI."""
        low, high, likely = self.bounds()
        u = np.asarray(share, dtype=np.float64)
        if self.distribution == "uniform":
            return np.asarray(low + u * (high - low))
        if self.distribution == "triangular":
            assert likely is not None
            width, left = high - low, likely - low
            rising = low + np.sqrt(u * width * left)
            falling = high - np.sqrt((1.0 - u) * width * (high - likely))
            return np.where(u * width < left, rising, falling)
        from scipy.special import ndtri

        z = ndtri(_TAIL + (1.0 - 2.0 * _TAIL) * u)
        if self.distribution == "lognormal":
            low, high = math.log(low), math.log(high)
        value = (low + high) / 2 + z * (high - low) / (2 * _Z95)
        return np.asarray(np.exp(value) if self.distribution == "lognormal" else value)


def gather(specs: Mapping[str, Mapping[str, Uncertain]]) -> dict[str, Uncertain]:
    """Return the ranges of several scenarios, by name in order: each holds for all of them.

    Raises
    ------
    ScenarioError
        Two scenarios say otherwise under one name, or two names lie on the same key.
    """
    found: dict[str, tuple[str, Uncertain]] = {}
    for scenario, own in specs.items():
        for name, item in own.items():
            other, known = found.setdefault(name, (scenario, item))
            if known != item:
                raise ScenarioError.of(
                    f"{scenario}: uncertainty.{name}", f"another range than in {other}",
                    "one range for all options", "options are drawn with the same values",
                )  # fmt: skip
    keyed: dict[str, str] = {}
    for name, (scenario, item) in sorted(found.items()):
        if item.what in (*LINK_COLUMNS, *LINE_COLUMNS):
            continue
        other = keyed.setdefault(item.what, name)
        if other != name:
            raise ScenarioError.of(
                f"{scenario}: uncertainty.{name}.what", f"{item.what!r}, as in {other!r}",
                "one range a key",
            )  # fmt: skip
    return {name: found[name][1] for name in sorted(found)}


def set_keys(
    spec: ScenarioSpec, ranges: Mapping[str, Uncertain], values: Mapping[str, float]
) -> ScenarioSpec:
    """Return a scenario whose keys hold the drawn values; what is not drawn stays as it is."""
    demand, transit = spec.demand.params, spec.transit
    growth: dict[str, dict[str, float]] = {
        name: dict(getattr(spec.demand, name) or {})
        for name in ("population_growth", "jobs_growth")
    }
    for name, item in ranges.items():
        section, _, rest = item.what.partition(".")
        if name not in values or section not in ("demand", "transit"):
            continue
        head, _, area = rest.partition(".")
        if head in growth:
            growth[head][area or "all"] = values[name]
            continue
        target: Any = demand if section == "demand" else transit
        value = values[name] * (getattr(target, rest) if item.is_factor else 1.0)
        target = replace(target, **{rest: value})
        demand, transit = (target, transit) if section == "demand" else (demand, target)
    more: dict[str, Any] = {k: v or None for k, v in growth.items()}
    changed = replace(spec.demand, params=demand, **more)
    return replace(spec, demand=changed, transit=transit)


def affected_rows(network: Network, ranges: Mapping[str, Uncertain]) -> dict[str, Array]:
    """Return the links or lines that each range on a column moves; none where nothing fits."""
    out: dict[str, Array] = {}
    for name, item in ranges.items():
        none = np.zeros(0, dtype=np.int64)
        if item.what in LINK_COLUMNS:
            out[name] = np.flatnonzero(network.road.is_street)
            if item.select is not None:
                try:
                    out[name] = select_links(network, item.select, f"uncertainty.{name}.select")
                except ScenarioError:
                    out[name] = none
        elif item.what in LINE_COLUMNS:
            try:
                out[name] = select_lines(
                    network.transit, item.line or ("*",), f"uncertainty.{name}.line"
                )
            except ScenarioError:
                out[name] = none
    return out


def set_columns(
    network: Network,
    ranges: Mapping[str, Uncertain],
    rows: Mapping[str, Array],
    values: Mapping[str, float],
) -> Network:
    """Return a network whose links and lines are multiplied by the drawn factors."""
    road, transit = network.road, network.transit
    links: dict[str, Array] = {}
    lines: dict[str, Array] = {}
    for name, item in ranges.items():
        moved = rows.get(name)
        if name not in values or moved is None or not len(moved):
            continue
        factor = values[name]
        if item.what == "links.capacity":
            _multiply(links, road, "capacity", moved, factor)
        elif item.what == "links.speed":
            _multiply(links, road, "free_flow_time", moved, 1.0 / factor)
            _multiply(links, road, "speed", moved, factor)
        elif item.what == "lines.headway":
            _multiply(lines, transit, "headway", moved, factor)
        else:
            assert transit is not None
            entries = np.isin(
                np.repeat(np.arange(transit.n_lines), np.diff(transit.line_first)), moved
            )
            _multiply(lines, transit, "run_time", np.flatnonzero(entries), factor)
    if links:
        network = network.replace(road=road.replace(**links))
    if lines:
        assert transit is not None
        network = network.replace(transit=transit.replace(**lines))
    return network


def _multiply(columns: dict[str, Array], owner: Any, name: str, rows: Array, factor: float) -> None:
    values = columns.setdefault(name, np.array(getattr(owner, name)))
    values[rows] *= factor
