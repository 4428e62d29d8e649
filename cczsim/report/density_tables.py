"""Road density as tables: under every convention, by tier, by district and by class."""

from __future__ import annotations

from dataclasses import dataclass

from cczsim.indicators.conventions import BUILT_UP, CONVENTIONS
from cczsim.indicators.indicator import Indicator
from cczsim.network.road_class import ROAD_CLASSES
from cczsim.report.tables import AREAS, Figures, Row, Table, target_convention, unit_of
from cczsim.report.text import Both, remark, same, term, text


@dataclass(frozen=True)
class DensityTables:
    """The tables of the density section.

    Parameters
    ----------
    by_area : Table
        Density, a row a convention, that of the scenario's target marked.
    by_district : Table
        Density, a column a convention.
    by_class : Table
        Kilometres that count, a column a convention.
    """

    by_area: Table
    by_district: Table
    by_class: Table


def rule_of(convention: str) -> Both:
    """Return what a convention counts, and over which area; nothing if it is not known."""
    rules = CONVENTIONS.get(convention)
    if rules is None:
        return same("")
    names = [term("class", name) for name in rules.classes]
    counted = names[0].join(*names[1:], by=", ")
    if rules.each_direction:
        how = text("density.each_direction")
    else:
        how = text("density.merged" if rules.merged else "density.carriageways")
    over = text("density.built_up" if rules.denominator == BUILT_UP else "density.whole")
    return text("density.rule", classes=counted, how=how, over=over)


def density_tables(figures: Figures) -> DensityTables:
    """Return road density under all conventions beside that of the base."""
    target = target_convention(figures.result)
    areas: dict[str, dict[str, Indicator]] = {}
    districts: dict[str, dict[str, Indicator]] = {}
    classes: dict[str, dict[str, Indicator]] = {}
    for item in figures.result.indicators:
        convention = item.by.get("convention")
        if convention is None:
            continue
        if item.key == "road_length" and "class" in item.by:
            classes.setdefault(item.by["class"], {})[convention] = item
        elif item.key == "road_density" and "district" in item.by:
            districts.setdefault(item.by["district"], {})[convention] = item
        elif item.key == "road_density" and "class" not in item.by:
            area = item.by.get("tier", item.by.get("area", "all"))
            areas.setdefault(convention, {})[area] = item
    shown = [area for area in AREAS if any(area in items for items in areas.values())]
    by_area = Table(
        tuple(figures.area_name(area) for area in shown),
        tuple(
            Row(
                term("convention", convention), unit_of("km/km2"),
                tuple(figures.cell(items.get(area)) for area in shown),
                marked=convention == target,
                note=rule_of(convention).join(
                    remark(next((i.note for i in items.values() if i.note), "")), by=" "
                ),
            )
            for convention, items in areas.items()
        ),
    )  # fmt: skip
    order = {name: k for k, name in enumerate(ROAD_CLASSES)}
    by_class = sorted(classes.items(), key=lambda pair: order.get(pair[0], len(order)))
    conventions = list(areas)
    return DensityTables(
        by_area,
        _by_convention(figures, conventions, [(same(k), v) for k, v in districts.items()]),
        _by_convention(figures, conventions, [(term("class", k), v) for k, v in by_class]),
    )


def _by_convention(
    figures: Figures, conventions: list[str], rows: list[tuple[Both, dict[str, Indicator]]]
) -> Table:
    target = target_convention(figures.result)
    return Table(
        tuple(
            term("convention", c).join("★" if c == target else "", by=" ") for c in conventions
        ),
        tuple(
            Row(label, same(""), tuple(figures.cell(items.get(c)) for c in conventions))
            for label, items in rows
        ),
    )  # fmt: skip
