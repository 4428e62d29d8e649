"""Charts of a ranking: intervals of a figure, who is best how often, one figure against another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from bokeh.models import (
    BasicTicker,
    ColumnDataSource,
    FixedTicker,
    HoverTool,
    NoOverlap,
    NumeralTickFormatter,
)
from bokeh.plotting import figure

from cczsim.report.charts import TIP, Chart
from cczsim.report.embed import Wording
from cczsim.report.figures import number, percent
from cczsim.report.tables import unit_of
from cczsim.report.text import Both, same, text

OPTION_COLORS: Final = (
    "#1f5f8b", "#c65b1e", "#5c7f3b", "#7b2d8b", "#d99a1b", "#8c2d5a", "#3b86a3", "#7d6b58",
)  # fmt: skip


def _color(k: int) -> str:
    return OPTION_COLORS[k % len(OPTION_COLORS)]


def _plot(height: int) -> Any:
    plot = figure(
        height=height, sizing_mode="stretch_width", tools="", toolbar_location=None,
        min_border_right=24,
    )  # fmt: skip
    plot.xaxis.major_label_policy = NoOverlap(min_distance=4)
    return plot


def _rows(plot: Any, wording: Wording, labels: list[Both]) -> None:
    """Name rows 0, 1, … from the top."""
    plot.y_range.start, plot.y_range.end = len(labels) - 0.5, -0.5
    plot.yaxis.ticker = FixedTicker(ticks=list(range(len(labels))))
    wording.set_ticks(plot.yaxis[0], labels)
    plot.ygrid.visible = False
    plot.yaxis.major_tick_line_color = None


def interval_chart(
    content: Mapping[str, Any], key: str, label: Both, titles: Mapping[str, Both]
) -> Chart:
    """Return each option's mean of a figure with its interval."""
    own = content["by"][key]
    names = list(own["options"])
    unit = unit_of(own["unit"])
    plot, wording = _plot(72 + 34 * len(names)), Wording()
    drawn = []
    rows = [own["options"][name] for name in names]
    source = ColumnDataSource(
        {
            "y": list(range(len(names))), "mean": [r["mean"] for r in rows],
            "low": [r["low"] for r in rows], "high": [r["high"] for r in rows],
            "color": [_color(k) for k in range(len(names))],
        }
    )  # fmt: skip
    tips = []
    for name, row in zip(names, rows, strict=True):
        tip = titles[name].join(Both(number(row["mean"], 4), number(row["mean"], 4)))
        if content["uncertainty"]:
            tip = tip.join(f"{number(row['low'], 4)} … {number(row['high'], 4)}")
        tips.append(tip.join(unit, by=" "))
    wording.set_column(source, "tip", tips)
    drawn.append(
        plot.hbar(
            y="y", left="low", right="high", height=0.34, source=source, color="color",
            fill_alpha=0.3, line_alpha=0.0,
        )
    )  # fmt: skip
    drawn.append(plot.scatter("mean", "y", source=source, color="color", size=11))
    _rows(plot, wording, [same(name) for name in names])
    plot.xaxis.ticker = BasicTicker(desired_num_ticks=4)
    plot.xaxis.formatter = NumeralTickFormatter(format="0,0.[000]")
    plot.add_tools(HoverTool(renderers=drawn, tooltips=TIP))
    caption = label.join(unit, by=", ")
    if content["uncertainty"]:
        caption = text("rank.interval_chart", label=caption)
    return Chart(f"interval-{key}", caption, plot, wording)


def best_chart(
    content: Mapping[str, Any], labels: Mapping[str, Both], titles: Mapping[str, Both]
) -> Chart:
    """Return the share of samples in which each option is best: a bar a figure."""
    keys = list(content["by"])
    plot, wording = _plot(72 + 44 * len(keys)), Wording()
    drawn, left = [], [0.0] * len(keys)
    for k, name in enumerate(content["by"][keys[0]]["options"]):
        shares = [content["by"][key]["options"][name]["best"] for key in keys]
        right = [a + b for a, b in zip(left, shares, strict=True)]
        source = ColumnDataSource({"y": list(range(len(keys))), "left": left, "right": right})
        tips = [
            titles[name].join(labels[key], percent(share, 0))
            for key, share in zip(keys, shares, strict=True)
        ]
        wording.set_column(source, "tip", tips)
        drawn.append(
            plot.hbar(
                y="y", left="left", right="right", height=0.6, source=source, color=_color(k),
                line_color="#ffffff",
            )
        )  # fmt: skip
        left = right
    _rows(plot, wording, [labels[key] for key in keys])
    plot.x_range.start, plot.x_range.end = 0.0, 1.0
    plot.xaxis.formatter = NumeralTickFormatter(format="0 %")
    plot.add_tools(HoverTool(renderers=drawn, tooltips=TIP, point_policy="follow_mouse"))
    return Chart("best", text("rank.best_chart"), plot, wording, wide=True)


def cloud_chart(
    content: Mapping[str, Any], x: str, y: str, labels: Mapping[str, Both],
    titles: Mapping[str, Both],
) -> Chart:  # fmt: skip
    """Return one figure against another: a dot a sample, a ring an option's means."""
    plot, wording = _plot(430), Wording()
    drawn = []
    for k, name in enumerate(content["by"][x]["options"]):
        own = [sample["figures"][name] for sample in content["samples"]]
        pairs = [(f[x], f[y]) for f in own if f[x] is not None and f[y] is not None]
        if len(pairs) > 1:
            plot.scatter(
                [p[0] for p in pairs], [p[1] for p in pairs], color=_color(k), size=5, alpha=0.35,
                line_alpha=0.0,
            )  # fmt: skip
        means = [content["by"][key]["options"][name]["mean"] for key in (x, y)]
        if not all(math.isfinite(m) for m in means):
            continue
        source = ColumnDataSource({"x": [means[0]], "y": [means[1]]})
        tip = titles[name].join(*(number(m, 4) for m in means))
        wording.set_column(source, "tip", [tip])
        drawn.append(
            plot.scatter(
                "x", "y", source=source, size=14, color=_color(k), line_color="#ffffff",
                line_width=2,
            )
        )  # fmt: skip
    for axis, key in ((plot.xaxis, x), (plot.yaxis, y)):
        wording.set(
            axis[0], "axis_label", labels[key].join(unit_of(content["by"][key]["unit"]), by=", ")
        )
        axis.formatter = NumeralTickFormatter(format="0,0.[000]")
    plot.add_tools(HoverTool(renderers=drawn, tooltips=TIP))
    return Chart("cloud", text("rank.cloud_chart"), plot, wording, wide=True)
