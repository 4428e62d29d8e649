"""The page of proposed streets: a map and a table in one HTML file that opens offline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import shapely
from bokeh.models import ColumnDataSource, PanTool, Range1d, ResetTool, ScaleBar, WheelZoomTool
from bokeh.plotting import figure
from markupsafe import Markup

from cczsim import __version__
from cczsim.columns import Array
from cczsim.design.propose import Plan
from cczsim.design.site import Site
from cczsim.report.backdrop_map import COLORS
from cczsim.report.embed import bokeh_script, plot_json, script_json
from cczsim.report.figures import number, percent
from cczsim.report.page import POLICY, TEMPLATES, environment
from cczsim.report.text import Both, Language, same, term, text

KIND_COLORS: Final = {"block": "#b2182b", "dead end": "#1f5f8b", "bridge": "#7b2d8b"}
_ASPECT: Final = 1.6


class DesignedArea(Protocol):
    """What the page needs of an area; lengths in m, sizes in m2."""

    @property
    def name(self) -> str:
        """Name of the area."""

    @property
    def size(self) -> float:
        """Its size."""

    @property
    def before(self) -> float:
        """Counted length before."""

    @property
    def site(self) -> Site:
        """Its ground."""

    @property
    def plan(self) -> Plan:
        """Its proposed streets."""


@dataclass(frozen=True)
class AreaRow:
    """A row of the table, ready to print."""

    name: Both
    cells: tuple[str, ...]


def render_design(
    title: str,
    areas: Sequence[DesignedArea],
    after: Sequence[float],
    convention: str,
    attribution: Sequence[str],
    lang: Language = "en",
) -> str:
    """Return the whole page.

    Parameters
    ----------
    title : str
        Of what the streets were proposed for.
    areas : sequence
    after : sequence of float
        Counted length in each area with the streets, m.
    convention : str
    attribution : sequence of str
        To be shown wherever the map is.
    lang : {"en", "zh"}
        The language that the page opens in; both are in it.
    """
    plots = {
        f"map-{k}": {"item": plot_json(_map(item.site, item.plan)), "entries": [], "columns": []}
        for k, item in enumerate(areas)
    }
    return environment().get_template("design.html").render(
        lang=lang,
        policy=POLICY,
        css=Markup(TEMPLATES.joinpath("page.css").read_text("utf-8")),  # noqa: S704  our own file
        trap=Markup(TEMPLATES.joinpath("trap.js").read_text("utf-8")),  # noqa: S704
        script=Markup(TEMPLATES.joinpath("page.js").read_text("utf-8")),  # noqa: S704
        bokeh=bokeh_script(),
        data=script_json({"plots": plots, "map": None, "name": "design"}),
        title=title,
        count=sum(len(item.plan.streets) for item in areas),
        convention=term("convention", convention),
        rows=[_row(item, length) for item, length in zip(areas, after, strict=True)],
        names=[item.name for item in areas],
        kinds=[(color, text(f"design.kind.{kind.replace(' ', '_')}"))
               for kind, color in KIND_COLORS.items()
               if any(s.kind == kind for item in areas for s in item.plan.streets)],
        unknown=sum(item.plan.blocks_unknown for item in areas),
        attribution=attribution,
        version=__version__,
    )  # fmt: skip


def _row(item: DesignedArea, after: float) -> AreaRow:
    plan = item.plan
    by_kind = [
        f"{sum(s.length for s in plan.streets if s.kind == kind) / 1e3:.1f}" for kind in KIND_COLORS
    ]
    return AreaRow(
        same(item.name),
        (
            number(item.before / item.size * 1e3, 4), number(after / item.size * 1e3, 4),
            percent(after / item.before - 1.0), str(len(plan.streets)), *by_kind,
            number(plan.cost / 1e9),
        ),
    )  # fmt: skip


def _points(lines: Array) -> tuple[list[list[float]], list[list[float]]]:
    xs, ys = [], []
    for line in lines:
        points = np.round(shapely.get_coordinates(line), 1)
        xs.append(points[:, 0].tolist())
        ys.append(points[:, 1].tolist())
    return xs, ys


def _rings(shape: Any) -> list[Any]:
    parts = [p for p in shapely.get_parts(shape) if shapely.get_type_id(p) == 3]
    return [p.exterior for p in parts]


def _map(site: Site, plan: Plan) -> Any:
    """Return the map of an area: water and green, streets, proposed streets, the area's edge."""
    ends = np.array([(s.a, s.b) for s in plan.streets]).reshape(-1, 2, 2)
    west, south, east, north = shapely.bounds(site.area)
    if len(ends):
        (west, south), (east, north) = ends.min(axis=(0, 1)), ends.max(axis=(0, 1))
    middle = (west + east) / 2, (south + north) / 2
    half = 1.05 * max((north - south) / 2, (east - west) / 2 / _ASPECT, 200.0)
    plot = figure(
        height=760, sizing_mode="stretch_width", tools="", toolbar_location="right",
        match_aspect=True,
        x_range=Range1d(middle[0] - half * _ASPECT, middle[0] + half * _ASPECT),
        y_range=Range1d(middle[1] - half, middle[1] + half),
    )  # fmt: skip
    plot.axis.visible = False
    plot.grid.visible = False
    wheel = WheelZoomTool()
    plot.add_tools(PanTool(), wheel, ResetTool())
    plot.toolbar.active_scroll = wheel
    xs, ys = _points(np.array(_rings(site.barred), dtype=object))
    plot.patches(xs, ys, fill_color=COLORS["water"], line_color=None, fill_alpha=0.8)
    xs, ys = _points(site.lines)
    plot.multi_line(xs, ys, line_color="#9aa2a9", line_width=0.9)
    for kind, color in KIND_COLORS.items():
        own = [s for s in plan.streets if s.kind == kind]
        source = ColumnDataSource(
            {"xs": [[s.a[0], s.b[0]] for s in own], "ys": [[s.a[1], s.b[1]] for s in own]}
        )
        plot.multi_line("xs", "ys", source=source, line_color=color, line_width=2.2)
    xs, ys = _points(np.array(_rings(site.area), dtype=object))
    plot.multi_line(xs, ys, line_color="#22303c", line_width=1.2, line_dash=[6, 4])
    plot.add_layout(ScaleBar(range=plot.x_range, unit="m", location="bottom_left"))
    return plot
