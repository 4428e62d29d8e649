"""The plan's targets, met or not, with what they hang on; and everything that was assumed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from cczsim.indicators.plan_targets import find_target
from cczsim.report.figures import DASH, MINUS, number, percent, signed, unit_name
from cczsim.report.tables import Cell, Figures, figure_label, target_convention, unit_of
from cczsim.report.text import Both, known, remark, same, term, text
from cczsim.scenario.result import RunResult, TargetRow, Weight


@dataclass(frozen=True)
class EvidenceLine:
    """A figure beside a target that cannot be judged."""

    label: Both
    base: str
    cell: Cell


@dataclass(frozen=True)
class ScoreRow:
    """A row of the plan's scoreboard, ready to print.

    Parameters
    ----------
    why : Both
        Why the model cannot judge it.
    assumed : tuple of (Both, str)
        What it hangs on in words, and the id of its row among the assumptions.
    """

    label: Both
    rule: Both
    unit: Both
    base: str
    value: str
    state: Literal["met", "missed", "unknown"]
    margin: str
    assumed: tuple[tuple[Both, str], ...]
    why: Both
    shows: tuple[EvidenceLine, ...]


@dataclass(frozen=True)
class AssumptionLine:
    """Something that was set, ready to print; only the first row of a key has an id.

    ``moved`` is the share of all trips that hangs on it, ``more`` what else is known of its weight.
    """

    name: Both
    key: str
    anchor: str
    value: Both
    moved: str
    more: Both
    source: Both
    why: Both


def rule_words(rule: str) -> str:
    """Return a rule as it is printed: ``≥ 7 km/km²``."""
    sign, _, rest = rule.partition(" ")
    signs = {">=": "≥", "<=": "≤", "==": "="}
    number_, _, unit = rest.partition(" ")
    return f"{signs[sign]} {number_} {unit_name(unit)}".strip() if sign in signs else rule


def _target_label(figures: Figures, row: TargetRow) -> Both:
    """Return a target in words: its own label, or those of the figure that its key names."""
    if row.label and row.label != row.key:
        return Both(row.label, row.label_zh or row.label)
    item = find_target(row.key, figures.result.indicators, target_convention(figures.result))
    return same(row.key) if item is None else figure_label(item)


def _evidence(figures: Figures, row: TargetRow) -> tuple[EvidenceLine, ...]:
    convention = target_convention(figures.result)
    lines = []
    for shown in row.shows:
        item = find_target(shown.key, figures.result.indicators, convention)
        if item is not None:
            label = figure_label(item, whole=False)
            lines.append(EvidenceLine(label, number(shown.base), figures.cell(item)))
    return tuple(lines)


def assumption_lines(result: RunResult) -> tuple[AssumptionLine, ...]:
    """Return what was set, each key in words where there are any."""
    info = result.network.info
    notes = {note: Both(note, zh) for note, zh in zip(info.notes, info.notes_zh, strict=False)}
    targets = {f"targets.{target.key}": target for target in result.targets}
    seen: set[str] = set()
    lines = []
    for k, row in enumerate(result.assumptions):
        name = term("assumption", row.key)
        value, why = notes.get(row.value, remark(row.value)), remark(row.why)
        target = targets.get(row.key)
        if target is not None:
            name = Both(target.label, target.label_zh or target.label) if target.label else name
            value = Both(row.value, target.rule_zh or row.value)
            why = Both(row.why, target.why_zh or row.why)
        parts = [_origin(part) for part in row.source.split("; ")]
        shown = Both("; ".join(p.en for p in parts), "；".join(p.zh for p in parts))
        anchor = f"assumption-{k}" if row.key not in seen else ""
        seen.add(row.key)
        moved, more = _weight(row.weight)
        lines.append(AssumptionLine(name, row.key, anchor, value, moved, more, shown, why))
    return tuple(lines)


def _origin(words: str) -> Both:
    return term("origin", words) if known(f"origin.{words}") else remark(words)


def _weight(weight: Weight | None) -> tuple[str, Both]:
    """Return how many trips hang on an assumption, and what they and the roads say besides."""
    if weight is None:
        return DASH, same("")
    parts = []
    if weight.moved > 0.0:
        parts.append(text("weight.modes", car=_change(weight.car), transit=_change(weight.transit)))
    if math.isfinite(weight.driven):
        parts.append(text("weight.driven", share=percent(weight.driven)))
    return percent(weight.moved, 2), same("").join(*parts, by="; ")


def _change(share: float) -> str:
    return percent(share).replace("-", MINUS) if share < 0.0 else "+" + percent(share)


def scoreboard(figures: Figures) -> tuple[ScoreRow, ...]:
    """Return the plan's targets, met or not, and those that cannot be judged."""
    known_rows = {row.key: row for row in assumption_lines(figures.result) if row.anchor}
    out = []
    for row in figures.result.targets:
        state: Literal["met", "missed", "unknown"] = (
            "unknown" if row.met is None else "met" if row.met else "missed"
        )
        margin = DASH if row.met is None else signed(row.margin, 2)
        rule = rule_words(row.rule)
        assumed = tuple(
            (known_rows[key].name, known_rows[key].anchor) if key in known_rows else (same(key), "")
            for key in row.assumed
        )
        out.append(
            ScoreRow(
                _target_label(figures, row), Both(rule, row.rule_zh or rule), unit_of(row.unit),
                number(row.base), number(row.value), state, margin, assumed,
                Both(row.why, row.why_zh or row.why), _evidence(figures, row),
            )
        )  # fmt: skip
    return tuple(out)


def target_counts(scores: tuple[ScoreRow, ...]) -> Both:
    """Return in a sentence how many targets are met, missed or beyond the model; or nothing."""
    if not scores:
        return same("")
    states = [row.state for row in scores]
    counts = {state: states.count(state) for state in ("met", "missed", "unknown")}
    return text("page.targets", **counts)
