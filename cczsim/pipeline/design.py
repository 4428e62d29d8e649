"""``cczsim design``: propose streets that reach a density or use up a budget, as a scenario."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from cczsim.design.costs import StreetType
from cczsim.design.cuts import CutRules
from cczsim.design.dead_ends import LinkRules
from cczsim.design.propose import propose
from cczsim.design.site import make_site
from cczsim.design.trials import add_proposals
from cczsim.errors import IndicatorError, InputError, ScenarioError
from cczsim.indicators.conventions import CONVENTIONS, Convention, centreline_weight
from cczsim.indicators.conventions import convention as find_convention
from cczsim.indicators.density import area_density
from cczsim.io.scenario_file import read_scenario, read_toml
from cczsim.network.network import Network
from cczsim.pipeline.areas import read_areas, zone_areas
from cczsim.pipeline.assign import check_targets, write_text
from cczsim.pipeline.design_crew import Crew
from cczsim.pipeline.design_traffic import Traffic, choose_tested, read_traffic
from cczsim.pipeline.designed import (
    TOLERANCE,
    Ask,
    Designed,
    District,
    design_text,
    say_design,
)
from cczsim.pipeline.networks import load_network
from cczsim.pipeline.progress import Progress
from cczsim.scenario.changes import apply_changes
from cczsim.scenario.spec import ScenarioSpec
from cczsim.units import parse

_SLIVER: Final = 1e-3
"""Parts of districts that are less of an area than this are edges that do not quite meet."""


def design(
    source: Path,
    *,
    area: str,
    out: Path,
    target: str | None = None,
    budget: str | None = None,
    choose: str = "blocks",
    convention: str | None = None,
    each: bool = False,
    road_class: str = "tertiary",
    lanes: float = 1.0,
    speed: str = "30 km/h",
    width: str | None = None,
    cost_per_km: str | None = None,
    keep_out: Sequence[Path] = (),
    clearance: str = "0 m",
    bridges: str = "0 m",
    max_block: str = "60 ha",
    bundles: int = 24,
    workers: int = 1,
    cluster: str | None = None,
    threads: int | None = None,
    page: Path | None = None,
    progress: Progress,
) -> int:
    """Propose streets and write them as a scenario.

    Parameters
    ----------
    source : Path
        A scenario, which the written one extends, or whatever names a network.
    area : str
        As :func:`~cczsim.pipeline.areas.read_areas` takes it; or a tier, a district or ``all``.
    target, budget : str, optional
        One of them: ``7 km/km2``, ``+10 %``; ``2e9 CNY``.
    each : bool
        Whether the target holds for each area rather than for all of them together.
    choose : {"blocks", "length", "benefit"}
        ``benefit`` tests bundles of streets by equilibria; it takes a scenario, for its trips.
    bundles : int
        How many bundles are tested.
    workers, cluster, threads
        Who tests them; see :class:`~cczsim.pipeline.design_crew.Crew`.
    keep_out : sequence of Path
        Files of polygons or lines that no street goes through, beside the network's own water.

    Returns
    -------
    int
        0; or 1 where the target cannot be reached: then the file holds what can be.
    """
    ask = _ask(target, budget)
    street = StreetType.of(
        road_class, lanes, parse(speed, "speed", "--speed"),
        None if width is None else parse(width, "length", "--width"),
        None if cost_per_km is None else parse(cost_per_km, "money", "--cost-per-km"),
    )  # fmt: skip
    check_targets(out, page)
    with progress.step("read"):
        spec, start, network = _read(source, progress)
    rules = _convention(network, convention, road_class)
    barred = [shape for path in keep_out for shape in _shapes(path)]
    away = parse(clearance, "length", "--clearance")
    cuts = replace(CutRules(), max_block=parse(max_block, "area", "--max-block"))
    links = replace(LinkRules(), span=parse(bridges, "length", "--bridges"))
    traffic = None
    if choose == "benefit":
        traffic = read_traffic(spec, start, bundles, progress)
    done: list[Designed] = []
    within: list[list[tuple[str, Any]]] = []
    grown = network
    with Crew(workers, cluster, threads) as crew:
        for name, polygon, parts in _areas(network, area, rules, each, progress):
            with progress.step(f"{name}: propose streets"):
                done.append(_fill(grown, name, polygon, ask, rules, street, barred, away, choose,
                                  cuts, links, traffic, crew))  # fmt: skip
                within.append(parts)
                plan = done[-1].plan
                grown = add_proposals(grown, plan.streets, street, plan.crs)
    if not any(item.plan.streets for item in done):
        raise ScenarioError.of(
            "--area", "blocks that leave no room for a street, and no dead end that leads on",
            "an area with large blocks", "allow larger blocks with --max-block, or another area",
        )  # fmt: skip
    with progress.step("write"):
        write_text(out, design_text(source, spec, network, done, rules, street, choose, out))
    with progress.step("measure what is written"):
        after, done = _measured(read_scenario(out), start, network, done, within, rules)
    code = say_design(done, after, rules, ask, out)
    if page is not None:
        from cczsim.report.design_page import render_design

        title = spec.title if spec is not None else network.info.title or network.info.name
        write_text(page, render_design(title, done, after, rules.name, network.info.attribution))
        progress.say(f"page: {page}")
    return code


def _ask(target: str | None, budget: str | None) -> Ask:
    if (target is None) == (budget is None):
        raise InputError.of(
            "--target, --budget", "both" if target is not None else "neither", "one of them"
        )
    if budget is not None:
        money = parse(budget, "money", "--budget")
        if money <= 0.0:
            raise InputError.of("--budget", f"{budget!r}, which buys no street", "more than 0 CNY")
        return Ask(None, None, money)
    assert target is not None
    if target.strip().startswith("+"):
        rise = parse(target.strip()[1:], "share", "--target")
        if rise <= 0.0:
            raise InputError.of("--target", repr(target), "more than today's density")
        return Ask(None, rise, None)
    return Ask(parse(target, "density", "--target"), None, None)


def _read(source: Path, progress: Progress) -> tuple[ScenarioSpec | None, Network, Network]:
    """Return the scenario, where one is named, its network, and that with its changes."""
    if source.suffix == ".toml" and source.is_file():
        keys = read_toml(source).value
        if "network" in keys or "extends" in keys:
            spec = read_scenario(source)
            network = load_network(Path(spec.network), progress)
            return spec, network, apply_changes(network, spec.changes, spec.origins)[0]
    network = load_network(source, progress)
    return None, network, network


def _convention(network: Network, name: str | None, road_class: str) -> Convention:
    if name is not None:
        rules = find_convention(name)
    else:
        able = [c for c in CONVENTIONS.values() if centreline_weight(network.road, c).any()]
        if not able:
            raise IndicatorError.of(network.info.name, "no street of a class that any convention "
                                    "counts", "road classes")  # fmt: skip
        rules = able[0]
    if road_class not in rules.classes:
        raise IndicatorError.of("--class", f"{road_class!r}, which {rules.name} does not count",
                                "one of " + ", ".join(rules.classes))  # fmt: skip
    return rules


def _areas(
    network: Network, area: str, rules: Convention, each: bool, progress: Progress
) -> list[tuple[str, Any, list[tuple[str, Any]]]]:
    """Return the areas by name, each with its parts: those that were given, or districts."""
    import shapely

    given = read_areas(area, progress.say)
    whole = given if given is not None else zone_areas(network, area, rules.denominator)
    areas = [(name, polygon, _districts(network, polygon, rules)) for name, polygon in whole]
    if not each and len(whole) > 1:
        areas = [(f"{len(whole)} areas", shapely.union_all([p for _, p in whole]), whole)]
    for name, polygon, _ in areas:
        length = area_density(network.road, [(name, polygon)], rules)[0][1]
        if length <= 0.0:
            raise InputError.of(
                f"--area {area}", f"no street of the network in {name!r} that {rules.name} counts",
                "an area that streets lie in", "look at the order of longitude and latitude",
            )  # fmt: skip
    return areas


def _districts(network: Network, polygon: Any, rules: Convention) -> list[tuple[str, Any]]:
    """Return the districts of the network's zones that make up an area; none if it is but one."""
    import shapely

    if network.zones is None:
        return []
    names = set(map(str, network.zones.district)) - {""}
    known = zone_areas(network, None, rules.denominator)
    parts = [(name, shapely.intersection(p, polygon)) for name, p in known if name in names]
    parts = [(name, part) for name, part in parts if part.area > _SLIVER * polygon.area]
    return parts if len(parts) > 1 else []


def _shapes(path: Path) -> list[Any]:
    import geopandas
    import pyogrio

    try:
        table = geopandas.read_file(path)
    except (pyogrio.errors.DataSourceError, OSError, ValueError) as error:
        raise InputError.of(str(path), str(error), "polygons or lines") from None
    if not isinstance(table, geopandas.GeoDataFrame) or table.crs is None:
        raise InputError.of(str(path), "no shapes with a coordinate system", "polygons or lines")
    shapes = table.to_crs("EPSG:4326").geometry
    if not shapes.is_valid.all():
        raise InputError.of(str(path), "rings that cross themselves", "valid polygons")
    return [shape for shape in shapes if shape is not None and not shape.is_empty]


def _fill(
    network: Network, name: str, polygon: Any, ask: Ask, rules: Convention, street: StreetType,
    barred: Sequence[Any], away: float, choose: str, cuts: CutRules, links: LinkRules,
    traffic: Traffic | None, crew: Crew,
) -> Designed:  # fmt: skip
    """Propose streets in one area."""
    _, before, size = area_density(network.road, [(name, polygon)], rules)[0]
    density = before / size * 1e3
    target = float("inf")
    if ask.budget is None:
        wanted = ask.target if ask.target is not None else density * (1 + (ask.rise or 0.0))
        target = wanted * size / 1e3
        if target <= before:
            raise ScenarioError.of(
                "--target", f"{wanted:g} km/km2, but {name} has {density:.4g} already",
                "a density above that",
            )  # fmt: skip
    site = make_site(network, polygon, barred, street.width + 2 * away, bridged=True)
    money = float("inf") if ask.budget is None else ask.budget
    if traffic is not None:
        plan, benefit = choose_tested(
            traffic,
            network,
            site,
            street,
            target - before,
            money,
            _slack(target),
            cuts,
            links,
            crew,
        )
        return Designed(name, polygon, size, before, target, site, plan, benefit)
    plan = propose(
        site, street, length=target - before, money=money, slack=_slack(target), choose=choose,
        cuts=cuts, links=links,
    )  # fmt: skip
    return Designed(name, polygon, size, before, target, site, plan)


def _slack(target: float) -> float:
    """Return how far a length may be off, m: a quarter of the tolerance, but no more than 50 m."""
    return min(TOLERANCE / 4 * target, 50.0) if np.isfinite(target) else 0.0


def _measured(
    spec: ScenarioSpec, start: Network, network: Network, done: Sequence[Designed],
    within: Sequence[list[tuple[str, Any]]], rules: Convention,
) -> tuple[list[float], list[Designed]]:  # fmt: skip
    """Return the counted length in each area of the scenario as it was written, m, and districts.

    Parameters
    ----------
    start, network : Network
        What the scenario starts from, and what streets were proposed for.
    within : sequence of list
        Names and polygons of the districts of each area.
    """
    changed, _ = apply_changes(start, spec.changes, spec.origins)
    areas = [(item.name, item.polygon) for item in done]
    after = [row[1] for row in area_density(changed.road, areas, rules)]
    out = []
    for item, parts in zip(done, within, strict=True):
        districts = tuple(
            District(name, size, before, now)
            for (name, before, size), (_, now, _) in zip(
                area_density(network.road, parts, rules), area_density(changed.road, parts, rules),
                strict=True,
            )
        ) if parts else ()  # fmt: skip
        out.append(replace(item, districts=districts))
    return after, out
