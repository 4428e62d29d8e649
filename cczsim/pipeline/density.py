"""``cczsim density``: measure road density by named conventions."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from cczsim.errors import IndicatorError
from cczsim.indicators.conventions import CONVENTIONS, Convention, centreline_weight
from cczsim.indicators.conventions import convention as find_convention
from cczsim.indicators.density import area_density
from cczsim.indicators.fabric import RAIL_REACH, street_fabric
from cczsim.indicators.sensitivity import sensitivity
from cczsim.network.centrelines import draw_centrelines
from cczsim.network.network import Network
from cczsim.network.zone_build import hexagons
from cczsim.pipeline.areas import check_inside, read_areas, zone_areas
from cczsim.pipeline.assign import check_targets, write_text
from cczsim.pipeline.networks import load_network
from cczsim.pipeline.progress import Progress


def _that_apply(network: Network) -> list[Convention]:
    """Return the conventions that count any street of the network."""
    found = [c for c in CONVENTIONS.values() if centreline_weight(network.road, c).any()]
    if not found:
        raise IndicatorError.of(
            network.info.name, "no street of a class that any convention counts", "road classes"
        )
    return found


def density(
    network: str,
    *,
    area: str | None,
    convention: str | None,
    json_file: Path | None,
    hexagon: int | None = None,
    blocks: bool = False,
    sensitive: bool = False,
    centrelines: bool = False,
    progress: Progress,
) -> int:
    """Measure a network.

    Parameters
    ----------
    network : str
        Whatever :func:`~cczsim.pipeline.networks.load_network` reads.
    area : str, optional
        A file of polygons (``FILE:NAME,NAME`` for some of them), ``west,south,east,north``, a
        tier, a district or ``all``; every area of the network's own zones where None.
    convention : str, optional
        All that count any street of the network where None.
    hexagon : int, optional
        Resolution of the H3 hexagons that each area is divided into.
    blocks : bool
        Also measure blocks, intersections and the reach of rail.
    sensitive : bool
        Also say what each rule of the convention moves.
    centrelines : bool
        Draw dual carriageways as one line before measuring.
    """
    check_targets(json_file)
    asked = find_convention(convention) if convention is not None else None
    given = read_areas(area, progress.say) if area is not None else None
    with progress.step("read"):
        net = load_network(Path(network), progress)
    if given is not None:
        check_inside(net, given, progress.say)
    if centrelines:
        net = with_centrelines(net)
    rows = measure(net, area, asked, given, hexagon=hexagon, blocks=blocks, sensitive=sensitive)
    if json_file is not None:
        write_text(json_file, json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    _print_table(rows)
    return 0


def with_centrelines(net: Network) -> Network:
    """Return the network with dual carriageways drawn as one line; it has no turn rules."""
    return net.replace(road=draw_centrelines(net.road).road, turns=None)


def measure(
    net: Network,
    area: str | None = None,
    asked: Convention | None = None,
    given: list[tuple[str, Any]] | None = None,
    *,
    hexagon: int | None = None,
    blocks: bool = False,
    sensitive: bool = False,
) -> list[dict[str, Any]]:
    """Return a row for each area and convention, as ``--json`` writes them.

    Parameters
    ----------
    net : Network
    area : str, optional
        A tier, a district or ``all``; every area of the network's own zones where None.
    asked : Convention, optional
        All that count any street of the network where None.
    given : list of (name, polygon), optional
        Areas in place of the network's own.
    hexagon, blocks, sensitive
        See :func:`density`.
    """
    rows: list[dict[str, Any]] = []
    for rules in [asked] if asked is not None else _that_apply(net):
        areas = given if given is not None else zone_areas(net, area, rules.denominator)
        if hexagon is not None:
            areas = _in_hexagons(areas, hexagon)
        polygons = dict(areas)
        for name, length, size in area_density(net.road, areas, rules):
            rows.append(
                {
                    "area": name,
                    "convention": rules.name,
                    "classes": list(rules.classes),
                    "merged": rules.merged,
                    "length_km": length / 1e3,
                    "area_km2": size / 1e6,
                    "density_km_per_km2": length / size * 1e3 if size > 0 else None,
                }
            )
            if blocks:
                rows[-1]["blocks"] = _known(vars(street_fabric(net, polygons[name], rules)))
            if sensitive:
                rows[-1]["sensitivity"] = [
                    _known({"rule": v.rule or rules.name, "length_km": v.length / 1e3,
                            "density_km_per_km2": v.density})
                    for v in sensitivity(net.road, polygons[name], rules)
                ]  # fmt: skip
    return rows


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values for JSON: None where a number is not known."""
    return {k: None if isinstance(v, float) and v != v else v for k, v in values.items()}


def _in_hexagons(areas: list[tuple[str, Any]], resolution: int) -> list[tuple[str, Any]]:
    """Return what of each area lies in each hexagon of it, by cell."""
    import shapely

    if not 0 <= resolution <= 12:
        raise IndicatorError.of("--hexagons", f"{resolution}", "a resolution of H3, 0 to 12")
    cells: dict[str, Any] = {}
    for _, polygon in areas:
        for cell, outline in zip(*hexagons(polygon, resolution), strict=True):
            part = shapely.intersection(outline, polygon)
            cells[cell] = shapely.union(cells[cell], part) if cell in cells else part
    if not cells:
        raise IndicatorError.of("--hexagons", "areas smaller than a hexagon", "a finer resolution")
    return sorted(cells.items())


def _print_table(rows: list[dict[str, Any]]) -> None:
    import sys

    width = max(len(str(row["area"])) for row in rows)
    out = sys.stdout.write
    out(f"{'area':{width}}  {'convention':26} {'km':>10} {'km2':>10} {'km/km2':>8}\n")
    for row in rows:
        figure = row["density_km_per_km2"]
        out(
            f"{row['area']:{width}}  {row['convention']:26} {row['length_km']:10.1f} "
            f"{row['area_km2']:10.1f} {figure if figure is not None else float('nan'):8.3f}\n"
        )
        if "blocks" in row:
            _print_blocks(row["blocks"], out)
        first, *rest = row.get("sensitivity", [None])
        for item in rest:
            change = item["density_km_per_km2"] - first["density_km_per_km2"]
            out(f"    {item['rule']:38} {item['density_km_per_km2']:8.3f} {change:+8.3f}\n")


def _print_blocks(found: Mapping[str, Any], out: Callable[[str], object]) -> None:
    def shown(key: str, unit: float = 1.0, digits: int = 1) -> str:
        value = found[key]
        return "–" if value is None else f"{value / unit:.{digits}f}"

    out(
        f"    {found['blocks']} blocks, mean {shown('mean_block', 1e4)} ha, median "
        f"{shown('median_block', 1e4)} ha, largest {shown('largest_block', 1e4)} ha, "
        f"mean perimeter {shown('mean_perimeter', 1.0, 0)} m\n"
        f"    {found['intersections']} intersections, {shown('intersections_per_km2')} a km2; "
        f"{found['dead_ends']} dead ends; within {RAIL_REACH:.0f} m of a rail stop: "
        f"{shown('rail_share', 0.01)} %\n"
    )
