"""Charts: the gap by iteration, shares of modes, figures by tier, loads of roads and lines.

In every chart the base is grey and the scenario blue; captions, units and keys stand in the page.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np
from bokeh.core.properties import value as constant
from bokeh.models import (
    ColumnDataSource,
    FixedTicker,
    HoverTool,
    NoOverlap,
    NumeralTickFormatter,
    Span,
)
from bokeh.plotting import figure

from cczsim.report import palette
from cczsim.report.embed import FONTS, INK, Wording
from cczsim.report.figures import difference, number, percent, scientific
from cczsim.report.provenance import street_metres, target_gap
from cczsim.report.rail import LineFigures, line_figures
from cczsim.report.tables import Figures, indicator_label, unit_of
from cczsim.report.text import Both, same, term, text
from cczsim.scenario.result import RunResult

_SHOWN_LINES: Final = 20
_THIN: Final = 5.0  # per cent of a bar below which its figure does not fit inside
TIP: Final = f'<div style="font:13px/1.45 {FONTS.replace(chr(34), chr(39))};color:{INK}">@tip</div>'
_SMALL: Final[tuple[tuple[str, dict[str, str]], ...]] = (
    ("vehicle_km", {}),
    ("mean_speed", {}),
    ("delay_hours", {}),
    ("km_over_capacity", {}),
    ("jobs_reached", {"mode": "transit", "minutes": "45"}),
    ("jobs_reached", {"mode": "car", "minutes": "45"}),
    ("airport_minutes", {"mode": "car"}),
    ("airport_minutes", {"mode": "transit"}),
    ("co2", {"by": "car"}),
)


@dataclass(frozen=True)
class Chart:
    """A plot with its caption."""

    key: str
    caption: Both
    plot: Any
    wording: Wording = field(default_factory=Wording)
    wide: bool = False


def _figure(height: int, **options: Any) -> Any:
    plot = figure(
        height=height, sizing_mode="stretch_width", tools="", toolbar_location=None,
        min_border_right=12, **options,
    )  # fmt: skip
    plot.xgrid.visible = False
    plot.xaxis.major_label_policy = NoOverlap(min_distance=4)
    return plot


def _hover(plot: Any, drawn: list[Any]) -> None:
    plot.add_tools(HoverTool(renderers=drawn, tooltips=TIP, point_policy="follow_mouse"))


def _runs(result: RunResult, base: RunResult | None) -> list[tuple[RunResult, str, Both]]:
    runs = [(result, palette.SCENARIO_COLOR, text("words.scenario"))]
    return runs if base is None else [(base, palette.BASE_COLOR, text("words.base")), *runs]


def gap_chart(result: RunResult, base: RunResult | None) -> Chart:
    """Return the relative gap by iteration, on a logarithmic axis, with the gap asked for."""
    plot = _figure(280, y_axis_type="log")
    wording = Wording()
    drawn = []
    for run, color, label in _runs(result, base):
        history = [h for h in run.equilibrium.road.history if h.relative_gap > 0]
        source = ColumnDataSource(
            {"x": [h.iteration for h in history], "y": [h.relative_gap for h in history]}
        )
        tips = [label.join(f"{h.iteration}: {scientific(h.relative_gap)}") for h in history]
        wording.set_column(source, "tip", tips)
        plot.line("x", "y", source=source, line_color=color, line_width=2)
        drawn.append(plot.scatter("x", "y", source=source, color=color, size=5))
    target = target_gap(result)
    if math.isfinite(target) and target > 0:
        plot.add_layout(
            Span(location=target, dimension="width", line_color="#b2182b", line_dash=[5, 4])
        )
    wording.set(plot.xaxis[0], "axis_label", text("chart.iteration"))
    _hover(plot, drawn)
    return Chart("gap", text("chart.gap"), plot, wording)


def mode_chart(figures: Figures) -> Chart | None:
    """Return the shares of trips by mode as one bar a run."""
    runs = _runs(figures.result, figures.base)[::-1]
    shares: list[dict[str, float]] = []
    for run, _, _ in runs:
        shares.append(
            {
                item.by["mode"]: item.value
                for item in run.indicators
                if item.key == "mode_share"
                and "mode" in item.by
                and item.by.get("area", "all") == "all"
                and not {"tier", "period"} & item.by.keys()
                and math.isfinite(item.value)
            }
        )
    modes = [mode for mode in palette.MODE_COLORS if any(mode in share for share in shares)]
    if not modes:
        return None
    plot = _figure(62 + 58 * len(runs), x_range=(0, 100), y_range=(-0.5, len(runs) - 0.35))
    plot.ygrid.visible = False
    wording = Wording()
    drawn = []
    left = np.zeros(len(runs))
    for mode in modes:
        values = np.array([share.get(mode, 0.0) for share in shares])
        source = ColumnDataSource(
            {
                "y": np.arange(len(runs)), "left": left, "right": left + values,
                "middle": left + values / 2,
                "inside": [f"{v:.1f} %" if v >= _THIN else "" for v in values],
                "above": [f"{v:.1f} %" if 0.0 < v < _THIN else "" for v in values],
            }
        )  # fmt: skip
        tips = [
            label.join(term("mode", mode), f"{value:.2f} %")
            for (_, _, label), value in zip(runs, values, strict=True)
        ]
        wording.set_column(source, "tip", tips)
        drawn.append(
            plot.hbar(
                y="y", left="left", right="right", height=0.6, source=source,
                color=palette.MODE_COLORS[mode], line_color="#ffffff",
            )
        )  # fmt: skip
        labels = {"source": source, "text_font": constant(FONTS), "text_align": "center"}
        plot.text(
            "middle", "y", text="inside", text_color="#ffffff", text_font_size="13px",
            text_baseline="middle", **labels,
        )  # fmt: skip
        plot.text(
            "middle", "y", text="above", text_color=palette.MODE_COLORS[mode],
            text_font_size="12px", text_baseline="bottom", y_offset=-18, **labels,
        )  # fmt: skip
        left = left + values
    plot.yaxis.ticker = FixedTicker(ticks=list(range(len(runs))))
    wording.set_ticks(plot.yaxis[0], [label for _, _, label in runs])
    plot.xaxis.formatter = NumeralTickFormatter(format="0")
    _hover(plot, drawn)
    return Chart("modes", text("chart.modes"), plot, wording, wide=True)


def _bars(
    plot: Any, wording: Wording, figures: Figures, values: list[list[float]], names: list[Both],
    unit: Both, vertical: bool = True, shown: Any = number,
) -> None:  # fmt: skip
    """Draw one bar a name and run; ``values[run][name]``, runs in the order of ``_runs``."""
    runs = _runs(figures.result, figures.base)
    drawn = []
    size = 0.8 / len(runs)
    for k, ((_, color, label), own) in enumerate(zip(runs, values, strict=True)):
        shift = (k - (len(runs) - 1) / 2) * size
        source = ColumnDataSource(
            {"at": np.arange(len(names)) + shift, "value": np.nan_to_num(own)}
        )
        tips = []
        for n, name in enumerate(names):
            tip = name.join(label, same(shown(own[n])).join(unit, by=" "))
            if len(runs) == 2 and k == 1 and np.isfinite([values[0][n], own[n]]).all():
                change = own[n] - values[0][n]
                tip = tip.join(
                    percent(change)
                    if shown is not number
                    else difference(values[0][n], own[n], change)
                )
            tips.append(tip)
        wording.set_column(source, "tip", tips)
        if vertical:
            drawn.append(plot.vbar(x="at", top="value", width=size, source=source, color=color))
        else:
            drawn.append(plot.hbar(y="at", right="value", height=size, source=source, color=color))
    axis = plot.xaxis if vertical else plot.yaxis
    axis.ticker = FixedTicker(ticks=list(range(len(names))))
    wording.set_ticks(axis[0], names)
    (plot.yaxis if vertical else plot.xaxis).formatter = NumeralTickFormatter(format="0,0.[000]")
    if vertical:
        plot.y_range.start = 0
        plot.xaxis.major_tick_line_color = None
    else:
        plot.x_range.start = 0
        plot.y_range.start, plot.y_range.end = len(names) - 0.5, -0.5
        plot.xgrid.visible, plot.ygrid.visible = True, False
    _hover(plot, drawn)


def tier_charts(figures: Figures) -> tuple[Chart, ...]:
    """Return small charts of chosen figures by tier, base beside scenario; empty tiers left out."""
    charts = []
    for key, by in _SMALL:
        items = {}
        for area in figures.areas:
            item = figures.find(key, {**by, "tier": area}) if area != "all" else None
            if item is None or not math.isfinite(item.value):
                continue
            if item.value or np.nan_to_num(figures.before(item)):
                items[area] = item
        if not items or (len(items) < 2 and figures.base is None):
            continue
        values = [[item.value for item in items.values()]]
        if figures.base is not None:
            values.insert(0, [figures.before(item) for item in items.values()])
        areas = list(items)
        unit = unit_of(items[areas[0]].unit)
        plot, wording = _figure(190), Wording()
        _bars(
            plot,
            wording,
            figures,
            values,
            [figures.area_name(area, "area_short") for area in areas],
            unit,
        )
        caption = indicator_label(key, by)
        slug = "-".join([key, *by.values()])
        charts.append(
            Chart(f"tier-{slug}", caption.join(unit, by=", "), plot, wording)
        )  # fmt: skip
    return tuple(charts)


def load_chart(figures: Figures) -> Chart:
    """Return the kilometres of streets by flow over capacity."""
    limits = palette.LOAD_LIMITS
    names = [
        same(f"< {limits[0]:g}"),
        *(same(f"{a:g}–{b:g}") for a, b in pairwise(limits)),
        same(f"≥ {limits[-1]:g}"),
    ]
    values = []
    for run, _, _ in _runs(figures.result, figures.base):
        road, flow = run.network.road, run.equilibrium.road.link_flow
        share = np.searchsorted(limits, flow / road.capacity, side="right")
        metres = street_metres(road)
        values.append((np.bincount(share, weights=metres, minlength=len(names)) / 1e3).tolist())
    plot, wording = _figure(280), Wording()
    _bars(plot, wording, figures, values, names, same("km"))
    wording.set(plot.xaxis[0], "axis_label", text("chart.load_axis"))
    return Chart("load", text("chart.load"), plot, wording)


def line_charts(figures: Figures) -> tuple[Chart, ...]:
    """Return boardings and highest load of the busiest lines."""
    lines = line_figures(figures.result)[:_SHOWN_LINES]
    if not lines:
        return ()
    old: dict[str, LineFigures] = {}
    if figures.base is not None:
        old = {line.route: line for line in line_figures(figures.base)}
    names = [same(line.route) for line in lines]
    charts = []
    for key, unit, shown in (("boardings", "1/h", number), ("load", "", percent)):
        values = [[float(getattr(line, key)) for line in lines]]
        if figures.base is not None:
            before = [old.get(line.route) for line in lines]
            values.insert(0, [math.nan if b is None else float(getattr(b, key)) for b in before])
        if not np.isfinite(values[-1]).any():
            continue
        plot, wording = _figure(60 + 24 * len(lines)), Wording()
        _bars(plot, wording, figures, values, names, same(unit), vertical=False, shown=shown)
        if shown is percent:
            plot.xaxis.formatter = NumeralTickFormatter(format="0 %")
            plot.x_range.end = 1.05 * max(1.0, float(np.nanmax(values)))
            plot.add_layout(
                Span(location=1.0, dimension="height", line_color="#b2182b", line_dash=[5, 4])
            )
        charts.append(Chart(f"line-{key}", text(f"chart.line_{key}"), plot, wording))
    return tuple(charts)
