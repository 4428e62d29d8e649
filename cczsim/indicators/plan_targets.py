"""The scoreboard: rules that a plan sets, held against the figures of a run.

A key names an indicator and what it is restricted to, joined by ``_``: ``road_density_central``,
``jobs_reached_45_transit_central``, ``mean_speed``. What is left unsaid means the whole area; a
density is that of the scenario's convention.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from cczsim.errors import Fault, IndicatorError, UnitError
from cczsim.indicators.indicator import Indicator
from cczsim.units import UNITS, parse

_RULE: Final = re.compile(r"^\s*(>=|<=|>|<|==|≥|≤)\s*(.+?)\s*$")
_SAME: Final = {"≥": ">=", "≤": "<="}


@dataclass(frozen=True)
class TargetFinding:
    """What became of one target; see :class:`cczsim.scenario.result.TargetRow`."""

    key: str
    rule: str
    unit: str
    base: float
    value: float
    met: bool | None
    margin: float


def key_of(indicator: Indicator, convention: str) -> str | None:
    """Return the key that a target names an indicator by; None if it is of another convention."""
    if indicator.by.get("convention", convention) != convention:
        return None
    return "_".join([indicator.key, *sorted(_tokens(indicator))])


def _tokens(indicator: Indicator) -> frozenset[str]:
    return frozenset(
        v for k, v in indicator.by.items() if k != "convention" and (k, v) != ("area", "all")
    )


def find_target(key: str, indicators: tuple[Indicator, ...], convention: str) -> Indicator | None:
    """Return the indicator that a target's key names, or None."""
    for item in indicators:
        if item.by.get("convention", convention) != convention:
            continue
        if key == item.key and not _tokens(item):
            return item
        if key.startswith(item.key + "_") and _joins(key[len(item.key) + 1 :], _tokens(item)):
            return item
    return None


def _joins(text: str, tokens: frozenset[str]) -> bool:
    """Return whether a text is the tokens in some order, joined by ``_``."""
    if not tokens:
        return text == ""
    for token in sorted(tokens):
        if text == token and len(tokens) == 1:
            return True
        if text.startswith(token + "_") and _joins(text[len(token) + 1 :], tokens - {token}):
            return True
    return False


def _threshold(text: str, unit: str, where: str) -> float:
    """Return a threshold in the unit of its indicator."""
    for dimension, table in UNITS.items():
        if unit in table and unit:
            return parse(text, dimension, where) / table[unit]
    number, _, said = text.partition(" ")
    if said.strip() not in ("", unit):
        raise UnitError.of(where, repr(text), f"a number in {unit}")
    try:
        value = float(number)
    except ValueError:
        raise UnitError.of(where, repr(text), f"a number in {unit}") from None
    if not math.isfinite(value):
        raise UnitError.of(where, repr(text), "a finite number")
    return value


def named_figure(
    key: str, indicators: tuple[Indicator, ...], convention: str, where: str
) -> Indicator:
    """Return the indicator that a key names.

    Raises
    ------
    IndicatorError
        The key names no figure; says which is nearest.
    """
    item = find_target(key, indicators, convention)
    if item is None:
        known = sorted({k for i in indicators if (k := key_of(i, convention))})
        near = get_close_matches(key, known, 1, 0.5)
        hint = f"did you mean {near[0]!r}?" if near else ""
        raise IndicatorError.of(
            where, f"{key!r}, a key that names no figure", "the key of a figure", hint
        )
    return item


def evaluate(
    targets: Mapping[str, str],
    indicators: tuple[Indicator, ...],
    base: tuple[Indicator, ...] | None = None,
    *,
    convention: str = "cn-urban",
    origins: Mapping[str, str] | None = None,
) -> tuple[TargetFinding, ...]:
    """Hold targets against figures.

    Parameters
    ----------
    targets : mapping of str to str
        Rule by key: ``{"road_density_central": ">= 7 km/km2"}``.
    indicators, base : tuple of Indicator
        Of the scenario, and of what it is compared to.
    convention : str
        Of densities.
    origins : mapping of str to str, optional
        File and line of each key, for messages.

    Raises
    ------
    IndicatorError
        With every key that names no figure and every rule that cannot be read.
    """
    faults: list[Fault] = []
    rows = []
    for key, rule in targets.items():
        place = (origins or {}).get(key, "")
        where = f"{place}: targets.{key}" if place else f"targets.{key}"
        match = _RULE.match(rule)
        if match is None:
            faults.append(Fault(where, repr(rule), 'a rule such as ">= 7 km/km2"'))
            continue
        try:
            item = named_figure(key, indicators, convention, where)
            bound = _threshold(match[2], item.unit, where)
        except (IndicatorError, UnitError) as error:
            faults.extend(error.faults)
            continue
        before = find_target(key, base, convention) if base is not None else None
        rows.append(_finding(key, rule, _SAME.get(match[1], match[1]), bound, item, before))
    if faults:
        raise IndicatorError(faults)
    return tuple(rows)


def _finding(
    key: str, rule: str, operator: str, bound: float, item: Indicator, before: Indicator | None
) -> TargetFinding:
    value = item.value
    above = value - bound
    met = {
        ">=": above >= 0.0, ">": above > 0.0, "<=": above <= 0.0, "<": above < 0.0,
        "==": above == 0.0,
    }[operator]  # fmt: skip
    known = math.isfinite(value)
    return TargetFinding(
        key=key,
        rule=rule,
        unit=item.unit,
        base=before.value if before is not None else float("nan"),
        value=value,
        met=met if known else None,
        margin=-abs(above) if operator == "==" else above if operator[0] == ">" else -above,
    )
