"""``cczsim design``: propose streets that reach a density or use up a budget, as a scenario."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from cczsim.design.costs import StreetType
from cczsim.design.cuts import CutRules
from cczsim.design.dead_ends import LinkRules
from cczsim.design.propose import Plan, propose
from cczsim.design.site import Site, make_site
from cczsim.errors import IndicatorError, InputError, ScenarioError
from cczsim.indicators.conventions import CONVENTIONS, Convention, centreline_weight
from cczsim.indicators.conventions import convention as find_convention
from cczsim.indicators.density import area_density
from cczsim.io.scenario_file import read_scenario, read_toml
from cczsim.io.street_scenario import StreetChange, street_scenario
from cczsim.network.network import Network
from cczsim.network.street_line import StreetLine
from cczsim.pipeline.areas import read_areas, zone_areas
from cczsim.pipeline.assign import check_targets, write_text
from cczsim.pipeline.networks import load_network
from cczsim.pipeline.progress import Progress
from cczsim.pipeline.summary import write_line
from cczsim.scenario.changes import apply_changes
from cczsim.scenario.new_streets import add_to, lane_capacity
from cczsim.scenario.spec import ScenarioSpec
from cczsim.units import parse, show

TOLERANCE: Final = 0.005
_KINDS: Final = {
    "block": "streets through large blocks",
    "dead end": "streets that lead on from dead ends",
    "bridge": "streets over what is kept out of",
}


@dataclass(frozen=True)
class Ask:
    """What is asked for in each area: a density (km/km2) or money (CNY)."""

    target: float | None
    rise: float | None
    budget: float | None


@dataclass(frozen=True, eq=False)
class Designed:
    """An area and the streets that are proposed in it; lengths by the convention, m and m2."""

    name: str
    polygon: Any
    size: float
    before: float
    target: float
    site: Site
    plan: Plan


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
        spec, network = _read(source, progress)
    rules = _convention(network, convention, road_class)
    barred = [shape for path in keep_out for shape in _shapes(path)]
    away = parse(clearance, "length", "--clearance")
    cuts = replace(CutRules(), max_block=parse(max_block, "area", "--max-block"))
    links = replace(LinkRules(), span=parse(bridges, "length", "--bridges"))
    done: list[Designed] = []
    grown = network
    for name, polygon in _areas(network, area, rules, each):
        with progress.step(f"{name}: propose streets"):
            done.append(_fill(grown, name, polygon, ask, rules, street, barred, away, choose,
                              cuts, links))  # fmt: skip
            grown = _with_streets(grown, done[-1].plan, street)
    if not any(item.plan.streets for item in done):
        raise ScenarioError.of(
            "--area", "blocks that leave no room for a street, and no dead end that leads on",
            "an area with large blocks", "allow larger blocks with --max-block, or another area",
        )  # fmt: skip
    with progress.step("write"):
        write_text(out, _text(source, spec, network, done, rules, street, choose, out))
    with progress.step("measure what is written"):
        after = _measured(
            read_scenario(out), network if spec is None else None, progress, done, rules
        )
    code = _say(done, after, rules, ask, out)
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


def _read(source: Path, progress: Progress) -> tuple[ScenarioSpec | None, Network]:
    """Return the scenario, where one is named, and the network with its changes."""
    if source.suffix == ".toml" and source.is_file():
        keys = read_toml(source).value
        if "network" in keys or "extends" in keys:
            spec = read_scenario(source)
            network = load_network(Path(spec.network), progress)
            return spec, apply_changes(network, spec.changes, spec.origins)[0]
    return None, load_network(source, progress)


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


def _areas(network: Network, area: str, rules: Convention, each: bool) -> list[tuple[str, Any]]:
    import shapely

    given = read_areas(area)
    areas = given if given is not None else zone_areas(network, area, rules.denominator)
    if not each and len(areas) > 1:
        areas = [(f"{len(areas)} areas", shapely.union_all([p for _, p in areas]))]
    for name, polygon in areas:
        length = area_density(network.road, [(name, polygon)], rules)[0][1]
        if length <= 0.0:
            raise InputError.of(
                f"--area {area}", f"no street of the network in {name!r} that {rules.name} counts",
                "an area that streets lie in", "look at the order of longitude and latitude",
            )  # fmt: skip
    return areas


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
    plan = propose(
        site, street, length=target - before, slack=_slack(target),
        money=float("inf") if ask.budget is None else ask.budget,
        choose=choose, cuts=cuts, links=links,
    )  # fmt: skip
    return Designed(name, polygon, size, before, target, site, plan)


def _slack(target: float) -> float:
    """Return how far a length may be off, m: a quarter of the tolerance, but no more than 50 m."""
    return min(TOLERANCE / 4 * target, 50.0) if np.isfinite(target) else 0.0


def _with_streets(network: Network, plan: Plan, street: StreetType) -> Network:
    """Return a network with the streets of a plan, so that the next area sees them."""
    road = network.road
    capacity = street.lanes * lane_capacity(road, street.road_class)
    groups: dict[str, list[StreetLine]] = {"ground": [], "bridge": []}
    for one, ends in zip(plan.streets, plan.degrees(), strict=True):
        groups[one.structure].append(
            StreetLine(
                lon=ends[:, 0], lat=ends[:, 1], road_class=street.road_class, lanes=street.lanes,
                speed=street.speed, capacity=capacity, structure=one.structure,
            )
        )  # fmt: skip
    network = add_to(network, groups["ground"], "join", stated=False)[0]
    return add_to(network, groups["bridge"], "over", stated=False)[0]


def _text(
    source: Path, spec: ScenarioSpec | None, network: Network, done: Sequence[Designed],
    rules: Convention, street: StreetType, choose: str, out: Path,
) -> str:  # fmt: skip
    start = Path(os.path.relpath(source.resolve(), out.resolve().parent)).as_posix()
    names = ", ".join(item.name for item in done)
    count = sum(len(item.plan.streets) for item in done)
    head: dict[str, Any] = {"cczsim": 1}
    if spec is not None:
        head |= {
            "title": f"{spec.title}, with {count} proposed streets in {names}",
            "title_zh": f"{spec.title_zh or spec.title},另加 {count} 条拟建道路({names})",
            "extends": start, "compare_to": start,
        }  # fmt: skip
    else:
        year = network.info.date[:4]
        head |= {
            "title": f"{network.info.title or network.info.name}: {count} proposed streets",
            "network": start, "year": int(year) if year.isdigit() else 2020,
        }  # fmt: skip
    keys = {
        "class": street.road_class, "lanes": street.lanes, "speed": show(street.speed, "km/h"),
    }  # fmt: skip
    taken = {change.id_ for change in spec.changes} if spec is not None else set()
    changes = []
    for number, item in enumerate(done):
        ends = item.plan.degrees()
        for kind, words in _KINDS.items():
            rows = [k for k, s in enumerate(item.plan.streets) if s.kind == kind]
            if not rows:
                continue
            own = keys | ({"structure": "bridge"} if kind == "bridge" else {})
            place = f"-{number + 1}" if len(done) > 1 else ""
            name = f"{kind.replace(' ', '-')}-streets{place}"
            while name in taken:
                name += "-more"
            cost = sum(item.plan.streets[k].cost for k in rows)
            changes.append(StreetChange(name, f"{words} in {item.name}", cost, ends[rows], own))
    comments = [
        f"Streets proposed by cczsim design: {choose}, {street.width:g} m wide, {rules.name}.",
        "Each is a straight line between two streets. Building costs are assumed, without land.",
    ]
    return street_scenario(head, comments, changes)


def _measured(
    spec: ScenarioSpec, network: Network | None, progress: Progress, done: Sequence[Designed],
    rules: Convention,
) -> list[float]:  # fmt: skip
    """Return the counted length in each area of the scenario as it was written, m."""
    start = network if network is not None else load_network(Path(spec.network), progress)
    changed, _ = apply_changes(start, spec.changes, spec.origins)
    areas = [(item.name, item.polygon) for item in done]
    return [row[1] for row in area_density(changed.road, areas, rules)]


def _say(
    done: Sequence[Designed], after: Sequence[float], rules: Convention, ask: Ask, out: Path
) -> int:
    code = 0
    for item, length in zip(done, after, strict=True):
        before, now = item.before / item.size * 1e3, length / item.size * 1e3
        off = ""
        if ask.budget is None:
            off = f", {100 * (length / item.target - 1.0):+.3f} % of the target"
        write_line(f"{item.name}: {before:.3f} → {now:.3f} km/km2 by {rules.name}{off}")
        for kind, words in _KINDS.items():
            own = [s for s in item.plan.streets if s.kind == kind]
            if own:
                km, cost = sum(s.length for s in own) / 1e3, sum(s.cost for s in own)
                write_line(f"  {len(own)} {words}: {km:.1f} km, {cost / 1e9:.3g} billion CNY")
        if item.plan.blocks_unknown:
            said = "blocks left alone for their size: what lies in them is not known"
            write_line(f"  {item.plan.blocks_unknown} {said}")
        if ask.budget is None and abs(length - item.target) > TOLERANCE * item.target:
            aim = item.target / item.size * 1e3
            why = (
                "is what blocks leave room for; allow larger ones with --max-block, or ask for less"
            )
            if length > item.target:
                why = "comes nearest"
            write_line(f"  target not reached: {aim:.3f} km/km2 was asked for, {now:.3f} {why}")
            code = 1
    write_line(f"wrote {out}; now: cczsim run {out}")
    return code
