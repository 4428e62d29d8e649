"""The answer in sentences: what a mayor asks first, with the figures and what the gaps allow."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cczsim.report.figures import NOTHING, difference, number
from cczsim.report.scoreboard import ScoreRow
from cczsim.report.tables import Figures, unit_of
from cczsim.report.text import Both, same, term, text
from cczsim.scenario.compare import Apart

_ALL: Final = {"area": "all"}
_SAID: Final = {"1/h": "answer.times", "pce h/h": "answer.vehicle_hours"}


@dataclass
class _Teller:
    """Puts figures into words, and notes which of them the gaps can explain."""

    figures: Figures
    noise: list[Both] = field(default_factory=list)
    told: int = 0
    differ: int = 0

    def figure(self, key: str, by: Mapping[str, str], digits: int = 3) -> Both | None:
        """Return a figure with its base and the difference, or None where there is none."""
        item = self.figures.find(key, by)
        if item is None or not math.isfinite(item.value):
            return None
        unit = text(_SAID[item.unit]) if item.unit in _SAID else unit_of(item.unit)
        value = same(number(item.value, digits)).join(unit, by=" ")
        cell = self.figures.cell(item)
        if not cell.change:
            return value
        self.told += 1
        self.differ += cell.change != NOTHING
        if cell.verdict == "noise":
            self.noise.append(term("indicator", key))
        sign = "≈ " if cell.verdict == "noise" else ""
        base = number(self.figures.before(item), digits)
        return text("answer.figure", value=value, base=base, change=sign + cell.change)


def answer(
    figures: Figures, scores: tuple[ScoreRow, ...], comparison: Any | None,
    apart: Sequence[Apart] = (),
) -> list[Both]:  # fmt: skip
    """Return the answer in a few sentences: targets, travel, who rides, and what to make of it.

    Parameters
    ----------
    comparison : object or None
        See :func:`cczsim.report.page.render`.
    apart : sequence of Apart
        How far other options of the same base lie from this one.
    """
    teller = _Teller(figures)
    out = [*_targets(figures, scores), *_travel(teller), *_riders(teller)]
    if figures.base is not None:
        out += [*_together(figures), *_gaps(teller, comparison)]
    if apart:
        out.append(_joined([_apart(one) for one in apart]))
    return out


def _targets(figures: Figures, scores: tuple[ScoreRow, ...]) -> list[Both]:
    told = []
    for row in scores:
        if row.state == "unknown":
            continue
        base = same("")
        if figures.base is not None:
            base = text("answer.target_base", base=row.base)
        told.append(
            text(
                f"answer.target_{row.state}", label=row.label, rule=row.rule, base=base,
                value=same(row.value).join(row.unit, by=" "),
            )
        )  # fmt: skip
    made_up = sum(
        change.counts.get("km added", 0.0)
        for change in figures.result.changes
        if change.kind == "road_density"
    )
    if made_up:
        told.append(text("answer.made_up", km=number(made_up)))
    return [_joined(told)] if told else []


def _travel(teller: _Teller) -> list[Both]:
    told = []
    for name, key, by in (
        ("time", "mean_trip_minutes", {**_ALL, "mode": "car"}),
        ("delay", "delay_per_trip", _ALL),
        ("total", "delay_hours", _ALL),
    ):
        shown = teller.figure(key, by)
        if shown is not None:
            told.append(text(f"answer.{name}", figure=shown))
    return [_joined(told)] if told else []


def _riders(teller: _Teller) -> list[Both]:
    told = []
    shares = {
        mode: teller.figure("mode_share", {**_ALL, "mode": mode})
        for mode in ("car", "transit", "active")
    }
    if all(share is not None for share in shares.values()):
        told.append(text("answer.modes", **shares))
    parked = teller.figure("mode_share", {**_ALL, "mode": "park_ride"})
    cars = teller.figure("lot_cars", _ALL)
    if parked is not None and cars is not None:
        told.append(text("answer.parked", figure=parked, cars=cars))
    boardings = teller.figure("boardings", _ALL)
    if boardings is not None:
        told.append(text("answer.boardings", figure=boardings))
    return [_joined(told)] if told else []


def _together(figures: Figures) -> list[Both]:
    """Return whose joint effect the differences are: changes, and growth of residents."""
    assert figures.base is not None
    told, grown = [], False
    now, before = figures.result.network.zones, figures.base.network.zones
    if now is not None and before is not None and before.population[before.inside].sum():
        a, b = (float(z.population[z.inside].sum()) for z in (before, now))
        grown = difference(a, b, b - a) != NOTHING
        if grown:
            told.append(text("answer.growth", share=f"{100 * (b - a) / a:+.1f} %"))
    known = {change.summary for change in figures.base.changes}
    changes = sum(change.summary not in known for change in figures.result.changes)
    parks, parked = (run.equilibrium.lots is not None for run in (figures.result, figures.base))
    changes += parks != parked
    if grown and changes:
        told.append(text("answer.with_growth", changes=changes))
    elif changes > 1:
        told.append(text("answer.together", changes=changes))
    return [_joined(told)] if told else []


def _gaps(teller: _Teller, comparison: Any | None) -> list[Both]:
    if comparison is None:
        return [text("words.unjudged")]
    if not teller.told:
        return []
    if teller.noise:
        names = teller.noise[0].join(*teller.noise[1:], by=", ")
        return [text("answer.noise", names=names)]
    if not teller.differ:
        return [text("answer.nothing")]
    shares = [getattr(comparison, name, math.nan) for name in ("noise_a", "noise_b")]
    return [text("answer.clear", gaps=f"{100 * sum(shares):.2g} %")]


def _apart(told: Apart) -> Both:
    key = "answer.apart" if told.beyond else "answer.not_apart"
    times = number(told.times, 2) if told.beyond else ""
    return text(key, name=told.a, beyond=told.beyond, of=told.of, times=times)


def _joined(sentences: list[Both]) -> Both:
    return Both(" ".join(s.en for s in sentences), "".join(s.zh for s in sentences))
