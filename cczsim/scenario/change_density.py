"""Add local streets until an area has a road density.

Rules. (1) Length and area are those of the convention, as the indicator measures them. (2) The
streets go where the built-up area (or, by the convention or without one, the zone) is: parts that
touch are filled as one. (3) The sparsest parts are raised to a common density first, such that the
area as a whole reaches the target; parts with hardly a street to begin from, a twentieth of the
wanted length, are left. (4) The fill aims half a tolerance high, and once more if what is measured
afterwards is still below the target. (5) No street goes through water or green that the network
knows of (its backdrop).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from cczsim.columns import Array
from cczsim.errors import IndicatorError, ScenarioError
from cczsim.indicators.conventions import Convention, centreline_weight, convention
from cczsim.indicators.density import road_density, zone_polygons
from cczsim.indicators.indicator import find
from cczsim.network.network import Network
from cczsim.network.zone_build import polygon_areas
from cczsim.network.zones import TIERS
from cczsim.scenario.change_spec import RoadDensity, StreetKind
from cczsim.scenario.expect import check
from cczsim.scenario.new_streets import add_to, lane_capacity
from cczsim.scenario.select import area_zones
from cczsim.sketch.street_grid import TOLERANCE, StreetSpec, counted_length, fill_blocks

Effect = tuple[Network, str, dict[str, float], float]
_PASSES: Final = 3
_BARE: Final = 0.05
_GRID: Final = 1e-7
"""Degrees, about a centimetre: outlines of neighbouring zones that nearly touch become one."""


def add_to_density(network: Network, change: RoadDensity, where: str) -> Effect:
    """Add streets until the area has the target density.

    Raises
    ------
    ScenarioError
        No such area or convention; the area is as dense already; its blocks are too small for so
        many streets.
    """
    zones = area_zones(network.zones, change.area, f"{where}.area")
    try:
        rules = convention(change.convention)
    except IndicatorError as error:
        fault = error.faults[0]
        raise ScenarioError.of(f"{where}.convention", fault.found, fault.expected) from None
    if change.street.class_ not in rules.classes:
        raise ScenarioError.of(
            f"{where}.street.class", f"{change.street.class_!r}, which {rules.name} does not count",
            "one of " + ", ".join(rules.classes),
        )  # fmt: skip
    before = measured(network, change.area, rules, where)
    if change.expect is not None:
        found = f"{before:.4g} km/km2"
        check(change.expect.density, before, f"{where}.expect.density", found)
    if before >= change.target:
        raise ScenarioError.of(
            f"{where}.target", f"{change.target:g} km/km2, but the area has {before:.4g} already",
            "a density above that", "take the change out, or raise its target",
        )  # fmt: skip
    parts = _parts(network, zones, rules)
    counts = {"links added": 0.0, "links split": 0.0, "km added": 0.0, "streets added": 0.0}
    spec = street_spec(network, change.street)
    after, wanted = before, change.target * (1 + TOLERANCE / 2)
    for _ in range(_PASSES):
        filled, streets, added = _fill(network, parts, wanted, rules, spec)
        if not streets:
            break
        network = filled
        counts = {name: counts[name] + added.get(name, 0.0) for name in counts}
        counts["streets added"] += streets
        after = measured(network, change.area, rules, where)
        if after >= change.target:
            break
        wanted += change.target * (1 + TOLERANCE / 4) - after
    if after < change.target:
        raise ScenarioError.of(
            f"{where}.target", f"{change.target:g} km/km2, but only {after:.4g} can be reached",
            "a density that blocks leave room for", "lower the target, or choose a larger area",
        )  # fmt: skip
    counts |= {"density before": before, "density after": after}
    cost = float("nan")
    if change.cost_per_km is not None:
        cost = counts["km added"] * 1e3 * change.cost_per_km
    summary = (
        f"road density of {change.area} from {before:.2f} to {after:.2f} km/km2 by {rules.name}: "
        f"{counts['streets added']:.0f} blocks halved by {counts['km added']:,.0f} km of "
        f"generated {change.street.class_} streets"
    )
    return network, summary, counts, cost


def measured(network: Network, area: str, rules: Convention, where: str) -> float:
    """Return the density of an area as the indicator measures it, km/km2.

    Raises
    ------
    ScenarioError
        The area has no polygons.
    """
    figures = road_density(network, [rules])
    kind = "area" if area == "all" else "tier" if area in TIERS else "district"
    found = find(figures, "road_density", convention=rules.name, **{kind: area})
    if found is None or not np.isfinite(found.value):
        raise ScenarioError.of(
            f"{where}.area", f"{area!r}, whose zones have no polygons", "zones with polygons"
        )
    return found.value


def street_spec(network: Network, street: StreetKind) -> StreetSpec:
    """Return the one kind of street that is added, long and short ones alike."""
    capacity = street.capacity
    if capacity is None:
        capacity = street.lanes * lane_capacity(network.road, street.class_)
    return StreetSpec(
        road_class=street.class_,
        lanes=street.lanes,
        speed=street.speed,
        capacity=capacity,
        main_class=street.class_,
        main_speed=street.speed,
        main_capacity=capacity,
    )


def _parts(network: Network, zones: Array, rules: Convention) -> list[Any]:
    """Return the polygons to be filled (2), from west to east."""
    import shapely

    assert network.zones is not None
    rows, polygons = zone_polygons(network.zones, rules.denominator)
    inside = polygons[np.isin(rows, zones)]
    whole = shapely.union_all(inside, grid_size=_GRID)
    parts = [p for p in shapely.get_parts(whole) if p.geom_type == "Polygon" and not p.is_empty]
    return sorted(parts, key=lambda p: p.bounds)


def _fill(
    network: Network,
    parts: list[Any],
    density: float,
    rules: Convention,
    spec: StreetSpec,
) -> tuple[Network, int, dict[str, float]]:
    weight = centreline_weight(network.road, rules)
    size = polygon_areas(np.array(parts, dtype=object))
    length = counted_length(network.road, parts, weight)
    wanted = density * 1e-3
    begun = length > _BARE * wanted * size
    if not begun.any():
        begun[:] = True
    targets = np.array(length)
    missing = wanted * float(size.sum()) - float(length[~begun].sum())
    targets[begun] = level(length[begun], size[begun], missing / float(size[begun].sum()))
    no_go = [] if network.backdrop is None else list(network.backdrop.polygon)
    found = fill_blocks(network.road, parts, targets.tolist(), weight, spec=spec, no_go=no_go)
    network, _, counts = add_to(network, found.lines, "join", stated=True)
    return network, len(found.lines), counts


def level(length: Array, size: Array, density: float) -> Array:
    """Return the length that each part shall have, so that all together have a density (3).

    Parameters
    ----------
    length : array [part], m
    size : array [part], m2
    density : float
        m/m2, of all parts together.
    """
    missing = density * float(size.sum()) - float(length.sum())
    if missing <= 0.0:
        return np.array(length)
    order = np.argsort(length / size, kind="stable")
    filled, area = 0.0, 0.0
    common = density
    for place, part in enumerate(order):
        filled += float(length[part])
        area += float(size[part])
        common = (missing + filled) / area
        following = order[place + 1] if place + 1 < len(order) else None
        if following is None or common <= length[following] / size[following]:
            break
    return np.maximum(length, common * size)
