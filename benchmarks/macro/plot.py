"""Draw gap against time of a stored result: ``python benchmarks/macro/plot.py RESULT.json``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from bokeh.embed import file_html
from bokeh.layouts import column
from bokeh.palettes import Category10_10
from bokeh.plotting import figure
from bokeh.resources import INLINE


def drawing(name: str, case: dict[str, Any]) -> Any:
    """Return the plot of one case: a line for each solver that left a history or an end."""
    plot = figure(
        title=name, width=900, height=420, x_axis_type="log", y_axis_type="log",
        x_axis_label="seconds of the solver", y_axis_label="relative gap",
    )  # fmt: skip
    colors = iter(Category10_10)
    for solver, row in case.items():
        if solver == "asked" or "error" in row:
            continue
        ends = {"seconds": row["solve_seconds"], "relative_gap": row.get("relative_gap", 0.0)}
        history = [h for h in row.get("history", [ends]) if h["relative_gap"] > 0]
        x, y = [h["seconds"] for h in history], [h["relative_gap"] for h in history]
        color = next(colors)
        plot.line(x, y, color=color, line_width=2, legend_label=solver)
        plot.scatter(x, y, color=color, size=5, legend_label=solver)
    plot.legend.location = "bottom_left"
    return plot


def draw(result: dict[str, Any], path: Path) -> None:
    """Write a page with the plots of all cases; it needs nothing beside itself."""
    plots = [drawing(name, case) for name, case in result["cases"].items()]
    path.write_text(file_html(column(plots), INLINE, "Gap against time"), encoding="utf-8")


if __name__ == "__main__":
    stored = Path(sys.argv[1])
    page = stored.with_suffix(".html")
    draw(json.loads(stored.read_text(encoding="utf-8")), page)
    print(page)
