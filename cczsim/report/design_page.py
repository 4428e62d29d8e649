"""The page of proposed streets: a map and a table in one HTML file that opens offline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
import shapely
from bokeh.models import ColumnDataSource, PanTool, Range1d, ResetTool, ScaleBar, WheelZoomTool
from bokeh.plotting import figure

from cczsim import __version__
from cczsim.columns import Array
from cczsim.design.benefit import BenefitPlan
from cczsim.design.propose import Plan
from cczsim.design.site import Site
from cczsim.report.backdrop_map import COLORS
from cczsim.report.figures import DASH, number, percent
from cczsim.report.study_page import Frame, Row, Table, render_study
from cczsim.report.text import Language, same, term, text

KIND_COLORS: Final = {"block": "#b2182b", "dead end": "#1f5f8b", "bridge": "#7b2d8b"}
_ASPECT: Final = 1.6


class DistrictLengths(Protocol):
    """What the page needs of a district; lengths in m, sizes in m2."""

    @property
    def name(self) -> str:
        """Name of the district."""

    @property
    def size(self) -> float:
        """Its size."""

    @property
    def before(self) -> float:
        """Counted length without the streets."""

    @property
    def after(self) -> float:
        """Counted length with them."""


class TestedBenefit(Protocol):
    """What the page needs of tested streets, and of as many that were chosen by length alone."""

    @property
    def found(self) -> BenefitPlan:
        """What greedy choice and swaps found."""

    @property
    def by_length_km(self) -> float:
        """Length of those chosen by length."""

    @property
    def by_length_saved(self) -> float:
        """What they save, pce h/h."""


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

    @property
    def benefit(self) -> TestedBenefit | None:
        """What tests of them found."""

    @property
    def districts(self) -> Sequence[DistrictLengths]:
        """Its parts."""


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
    unknown = sum(item.plan.blocks_unknown for item in areas)
    frame = Frame(
        title=text("design.title", n=sum(len(item.plan.streets) for item in areas)),
        lead=same(title).join(term("convention", convention)),
        sections=(
            ("tables", text("rank.tables")),
            *((f"area-{k}", same(item.name)) for k, item in enumerate(areas)),
        ),
        caveats=(text("design.proposal"), text("design.costs"))
        + ((text("design.unknown", n=unknown),) if unknown else ()),
        attribution=tuple(attribution),
        version=__version__,
    )  # fmt: skip
    tables = [_areas(areas, after)]
    for item in areas:
        if item.districts:
            tables.append(_districts(item))
        if item.benefit is not None:
            tables.append(_benefit(item.name, item.benefit))
    return render_study(
        "design.html", "design", frame, lang,
        plots={f"map-{k}": _map(item.site, item.plan) for k, item in enumerate(areas)},
        tables=tables,
        names=[item.name for item in areas],
        kinds=[(color, text(f"design.kind.{kind.replace(' ', '_')}"))
               for kind, color in KIND_COLORS.items()
               if any(s.kind == kind for item in areas for s in item.plan.streets)],
    )  # fmt: skip


def _areas(areas: Sequence[DesignedArea], after: Sequence[float]) -> Table:
    keys = ("before", "after", "change", "streets", "through", "lead_on", "over", "cost")
    rows = tuple(_row(item, length) for item, length in zip(areas, after, strict=True))
    return Table(text("design.area"), tuple(text(f"design.{key}") for key in keys), rows)


def _row(item: DesignedArea, after: float) -> Row:
    plan = item.plan
    by_kind = [
        f"{sum(s.length for s in plan.streets if s.kind == kind) / 1e3:.1f}" for kind in KIND_COLORS
    ]
    return Row(
        same(item.name),
        (
            number(item.before / item.size * 1e3, 4), number(after / item.size * 1e3, 4),
            percent(after / item.before - 1.0), str(len(plan.streets)), *by_kind,
            number(plan.cost / 1e9),
        ),
    )  # fmt: skip


def _districts(item: DesignedArea) -> Table:
    """Return what each district has and gets, and its share of what all get."""
    whole = sum(part.after - part.before for part in item.districts)
    rows = tuple(
        Row(
            same(part.name),
            (
                number(part.before / part.size * 1e3, 4), number(part.after / part.size * 1e3, 4),
                f"{(part.after - part.before) / 1e3:,.1f}",
                percent((part.after - part.before) / whole) if whole > 0.0 else DASH,
            ),
        )
        for part in item.districts
    )  # fmt: skip
    heads = tuple(text(f"design.{key}") for key in ("before", "after", "added_km", "share"))
    return Table(text("design.district"), heads, rows, text("design.districts", area=item.name))


def _benefit(name: str, benefit: TestedBenefit) -> Table:
    """Return the tested bundles, those that came by a swap and those that harm among them."""
    found = benefit.found
    came = {swap.came for swap in found.swaps}
    rows = []
    for tested in (*found.tested, *found.harmful):
        lon, lat = tested.place
        remark = text("design.swapped") if tested.bundle in came else None
        if tested.harmful:
            remark = text("design.harmful")
        saved = DASH if tested.saved != tested.saved else number(tested.saved, 3)
        each = DASH if tested.saved != tested.saved else number(tested.saved / tested.km, 3)
        cells = (f"{lon:.4f} {lat:.4f}", str(tested.streets), number(tested.km, 3), saved, each)
        about = text("design.bundle", n=tested.bundle + 1)
        rows.append(Row(about, cells, remark=remark))
    km = sum(t.km for t in found.tested)
    saved_all = found.before - found.after
    note = None
    if km > 0.0 and benefit.by_length_km > 0.0:
        note = text(
            "design.compared", runs=found.runs, before=number(found.before),
            after=number(found.after), tested=number(saved_all / km, 3),
            length=number(benefit.by_length_saved / benefit.by_length_km, 3),
        )  # fmt: skip
    heads = tuple(text(f"design.{key}") for key in ("place", "streets", "km", "saved", "saved_km"))
    return Table(
        text("design.bundles"),
        heads,
        tuple(rows),
        text("design.tested", area=name),
        note,
        words=frozenset({0}),
    )


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
