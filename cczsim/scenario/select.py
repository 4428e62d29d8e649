"""Find the links, zones and lines that a change speaks of."""

from __future__ import annotations

from difflib import get_close_matches
from fnmatch import fnmatchcase

import numpy as np

from cczsim.columns import Array
from cczsim.errors import ScenarioError
from cczsim.network.locate import link_middles, link_zones
from cczsim.network.network import Network
from cczsim.network.provenance import Source
from cczsim.network.road_class import CLASS_CODE
from cczsim.network.transit import TransitNetwork
from cczsim.network.zones import TIERS, ZoneSystem
from cczsim.scenario.change_spec import Selector

_STRUCTURES = ("ground", "bridge", "tunnel")
_PATTERN = frozenset("*?")


def _near(text: str, known: list[str]) -> str:
    near = get_close_matches(text, known, 1, 0.5)
    return f"did you mean {near[0]!r}?" if near else ""


def matches(texts: Array, patterns: tuple[str, ...]) -> Array:
    """Return which texts equal one of the patterns, or fit one that holds ``*`` or ``?``."""
    unique, inverse = np.unique(np.asarray(texts, dtype=object).astype(str), return_inverse=True)
    hit = [
        any(fnmatchcase(t, p) if _PATTERN & set(p) else t == p for p in patterns) for t in unique
    ]
    return np.asarray(hit, dtype=bool)[inverse.reshape(-1)]


def area_zones(zones: ZoneSystem | None, area: str, where: str) -> Array:
    """Return the rows of the zones of an area: ``all``, a tier, or a district.

    Raises
    ------
    ScenarioError
        No zone lies in an area of that name.
    """
    if zones is None:
        raise ScenarioError.of(where, "a network without zones", "a network with zones")
    if area == "all":
        return np.arange(zones.n_zones)
    if area in TIERS:
        rows = np.flatnonzero(zones.tier == TIERS.index(area))
    else:
        rows = np.flatnonzero(zones.district == area)
    if not len(rows):
        known = ["all", *area_names(zones)]
        raise ScenarioError.of(
            where, f"{area!r}, where no zone lies", "one of " + ", ".join(known), _near(area, known)
        )
    return rows


def area_names(zones: ZoneSystem) -> list[str]:
    """Return the tiers and districts that zones lie in, in order."""
    tiers = [name for code, name in enumerate(TIERS) if (zones.tier == code).any()]
    return [*tiers, *[str(d) for d in np.unique(zones.district.astype(object)) if d]]


def select_links(network: Network, selector: Selector, where: str) -> Array:
    """Return the rows of the links that a selector means, connectors never among them.

    Raises
    ------
    ScenarioError
        No link fits; names the first condition after which none was left.
    """
    road = network.road
    keep = road.is_street.copy()
    for name, hit in _conditions(network, selector, where):
        before = int(keep.sum())
        keep &= hit
        if not keep.any():
            hint = ""
            if name == "name" and selector.name:
                known = [str(n) for n in np.unique(road.name.astype(object)) if n]
                hint = _near(selector.name[0], known)
            raise ScenarioError.of(
                f"{where}.{name}", f"no link, of the {before} that fit so far", "at least one link",
                hint,
            )  # fmt: skip
    return np.flatnonzero(keep)


def _conditions(network: Network, selector: Selector, where: str) -> list[tuple[str, Array]]:
    road = network.road
    out: list[tuple[str, Array]] = []
    if selector.name is not None:
        out.append(("name", matches(road.name, selector.name)))
    if selector.class_ is not None:
        out.append(("class", np.isin(road.road_class, [CLASS_CODE[c] for c in selector.class_])))
    if selector.way_id is not None:
        out.append(("way_id", np.isin(road.way_id, np.array(selector.way_id, dtype=np.int64))))
    if selector.link_id is not None:
        out.append(("link_id", np.isin(road.link_id, np.array(selector.link_id, dtype=np.int64))))
    if selector.structure is not None:
        codes = [_STRUCTURES.index(s) for s in selector.structure]
        out.append(("structure", np.isin(road.structure, codes)))
    if selector.source is not None:
        codes = [int(Source[s.upper()]) for s in selector.source]
        out.append(("source", np.isin(road.class_source, codes)))
    if selector.tier is not None or selector.district is not None:
        zones = network.zones
        if zones is None:
            raise ScenarioError.of(where, "a network without zones", "a network with zones")
        zone = link_zones(network)
        placed = zone >= 0
        if selector.tier is not None:
            tier = np.isin(zones.tier[zone], [TIERS.index(t) for t in selector.tier])
            out.append(("tier", placed & tier))
        if selector.district is not None:
            out.append(("district", placed & matches(zones.district, selector.district)[zone]))
    if selector.bbox is not None or selector.within is not None:
        import shapely

        lon, lat = link_middles(road)
        if selector.bbox is not None:
            w, s, e, n = selector.bbox
            out.append(("bbox", (lon >= w) & (lon <= e) & (lat >= s) & (lat <= n)))
        if selector.within is not None:
            area = shapely.Polygon(selector.within)
            out.append(("within", np.asarray(shapely.contains_xy(area, lon, lat))))
    return out


def select_lines(transit: TransitNetwork | None, patterns: tuple[str, ...], where: str) -> Array:
    """Return the rows of the directed lines whose id or route fits one of the patterns.

    Raises
    ------
    ScenarioError
        A pattern fits no line, or there is no transit.
    """
    if transit is None or transit.n_lines == 0:
        raise ScenarioError.of(where, "a network without transit lines", "a network with lines")
    rows = np.zeros(transit.n_lines, dtype=bool)
    known = [str(r) for r in dict.fromkeys(transit.route.tolist())]
    for pattern in patterns:
        hit = matches(transit.route, (pattern,)) | matches(transit.line_id, (pattern,))
        if not hit.any():
            raise ScenarioError.of(
                where, f"{pattern!r}, no such line", "one of " + ", ".join(known[:40]),
                _near(pattern, known),
            )  # fmt: skip
        rows |= hit
    return np.flatnonzero(rows)
