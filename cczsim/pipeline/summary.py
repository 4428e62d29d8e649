"""What a run says in the end: scoreboard, main figures, where the page is."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, Final

from cczsim.indicators.indicator import Indicator, find
from cczsim.scenario.compare import Comparison, ComparisonRow, apart, compare
from cczsim.scenario.result import ObservationRow, RunResult, TargetRow

MAIN: Final[tuple[tuple[str, dict[str, str]], ...]] = (
    ("road_density", {"tier": "central"}),
    ("vehicle_km", {"area": "all"}),
    ("mean_speed", {"area": "all"}),
    ("delay_hours", {"area": "all"}),
    ("mode_share", {"area": "all", "mode": "transit"}),
    ("jobs_reached", {"area": "all", "minutes": "45", "mode": "transit"}),
    ("co2", {"area": "all"}),
)


def write_line(text: str = "") -> None:
    """Write a line of what was asked for to standard output."""
    sys.stdout.write(text + "\n")


def figure(value: float, unit: str = "") -> str:
    """Return a number as people read it, four significant digits."""
    if not math.isfinite(value):
        return "–"
    size = abs(value)
    text = f"{value:,.0f}" if size >= 1e4 else f"{value:.4g}"
    return f"{text} {unit}".strip()


def scoreboard(targets: Sequence[TargetRow]) -> list[str]:
    """Return a line for each target."""
    words = {True: "met", False: "missed", None: "cannot be judged"}
    width = max((len(row.key) for row in targets), default=0)
    return [
        f"  {row.key:<{width}}  {row.rule:<18}  "
        + (figure(row.value, row.unit) if row.met is not None else "–")
        + f"  {words[row.met]}"
        for row in targets
    ]


def observed(rows: Sequence[ObservationRow]) -> list[str]:
    """Return a line for each figure that was observed, with the model's beside it."""
    return [
        f"  {row.figure}: {figure(row.value, row.unit)}, observed {figure(row.observed)} "
        f"({row.residual:+.0%}; {row.source})"
        for row in rows
    ]


def main_figures(result: RunResult, comparison: Comparison | None) -> list[str]:
    """Return a line for each main indicator, with the base where there is one."""
    rows = {row.path: row for row in comparison.rows} if comparison is not None else {}
    lines = []
    for key, by in MAIN:
        item = _marked(result, key, by)
        if item is None:
            continue
        text = f"  {item.path}: {figure(item.value, item.unit)}"
        row = rows.get(item.path)
        if row is not None and math.isfinite(row.a):
            text += f" (base {figure(row.a)}, {_change(row)})"
        lines.append(text)
    return lines


def parts_apart(groups: Sequence[Sequence[RunResult]]) -> list[str]:
    """Return a line for each two options of one base: whether they differ by more than the gaps."""
    lines = []
    for group in groups:
        for a, b in combinations(group, 2):
            told = apart(compare(a, b), MAIN)
            said = f"{a.name} and {b.name}: {told.beyond} of {told.of} main figures differ by more"
            said += " than the gaps can explain"
            by = f", by {told.times:,.0f} times that and more" if told.beyond else ""
            lines.append(said + by)
    return lines


def _marked(result: RunResult, key: str, by: dict[str, str]) -> Indicator | None:
    if key == "road_density":
        by = {**by, "convention": str(result.spec.get("density", {}).get("convention", ""))}
    return find(result.indicators, key, **by)


def _change(row: ComparisonRow) -> str:
    if row.explained_by_gap:
        return "no difference that the gaps cannot explain"
    return f"{100 * row.share:+.1f} %" if math.isfinite(row.share) else figure(row.difference)


def comparison_lines(comparison: Comparison, everything: bool = True) -> Iterable[str]:
    """Yield the table of two results side by side: every figure, or those of the whole region."""
    rows = [row for row in comparison.rows if everything or _of_the_whole(row)]
    width = min(max((len(row.path) for row in rows), default=0), 72)
    yield (f"{'':<{width}}  {comparison.a[:14]:>14}  {comparison.b[:14]:>14}  {'difference':>12}  ")
    for row in rows:
        share = f"{100 * row.share:+.2f} %" if math.isfinite(row.share) else ""
        verdict = _verdict(row)
        yield (
            f"{row.path:<{width}}  {figure(row.a):>14}  {figure(row.b):>14}  "
            f"{figure(row.difference):>12}  {share:>10}  {row.unit}  {verdict}".rstrip()
        )
    if len(rows) < len(comparison.rows):
        left_out = len(comparison.rows) - len(rows)
        yield f"{left_out:,} more by tier, district, line and class of street: --all"
    yield (
        f"Noise by the gaps: {comparison.noise_a:.1e} of a figure in {comparison.a}, "
        f"{comparison.noise_b:.1e} in {comparison.b}; a smaller difference says nothing."
    )


def _of_the_whole(row: ComparisonRow) -> bool:
    """Return whether a figure is of the whole region, or a density of its central zone."""
    if row.key == "road_density" and row.by.get("tier") == "central":
        return True
    return row.by.get("area") == "all" and "class" not in row.by


def _verdict(row: ComparisonRow) -> str:
    """Return how a difference stands to what the gaps could make of it."""
    if row.explained_by_gap:
        return "within what the gaps explain"
    if not row.bound > 0.0 or not abs(row.difference) > row.bound:
        return ""
    times = abs(row.difference) / row.bound
    return f"{times:,.0f} times what the gaps explain" if times < 1e6 else "far beyond the gaps"


def key_differences(a: Mapping[str, Any], b: Mapping[str, Any], path: str = "") -> Iterable[str]:
    """Yield a line for every key that two resolved scenarios say otherwise, but for changes."""
    for name in dict.fromkeys((*a, *b)):
        if not path and name in ("changes", "title", "title_zh", "extends", "compare_to"):
            continue
        here = f"{path}.{name}" if path else name
        one, two = a.get(name), b.get(name)
        if isinstance(one, Mapping) and isinstance(two, Mapping):
            yield from key_differences(one, two, here)
        elif one != two:
            yield f"{here}: {_as_written(one)} → {_as_written(two)}"


def _as_written(value: Any) -> str:
    """Return a value as a scenario file has it."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{name} = {_as_written(item)}" for name, item in value.items()) + " }"
        )
    return json.dumps(value, ensure_ascii=False, default=str)
