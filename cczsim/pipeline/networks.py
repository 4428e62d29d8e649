"""Networks from whatever names one: a built folder, a recipe, an extract, TNTP, GMNS."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cczsim.errors import InputError, OutputError
from cczsim.network.network import Network
from cczsim.network.road import RoadNetwork
from cczsim.pipeline.progress import Progress

HEALTH_PAGE = "network.html"
CENTRELINES = "centrelines.gpkg"
_OSM = (".osm.pbf", ".osm", ".osm.gz", ".osm.bz2", ".json", ".pbf")


def load_network(path: str | Path, progress: Progress, keep: str | None = None) -> Network:
    """Return the network that a path names, built if need be.

    Parameters
    ----------
    path : path
    progress : Progress
    keep : {"all", "largest"}, optional
        Which components of an OSM extract to keep; all where None.

    Raises
    ------
    InputError
        Nothing there is a network, or ``keep`` is given for something that is no extract.
    """
    from cczsim.io.bundle import is_bundle, read_bundle
    from cczsim.io.recipe import read_recipe

    path = Path(path)
    if not path.exists():
        raise InputError.of(
            str(path),
            "nothing",
            "a built network, a recipe, an OSM extract, a TNTP or GMNS network",
        )
    if keep is not None and not path.name.endswith(_OSM):
        raise InputError.of(
            f"--keep {keep}", str(path), "an OSM extract", "in a recipe, write keep under [source]"
        )
    if path.is_dir() and is_bundle(path):
        with progress.step("read network"):
            return read_bundle(path)
    if path.suffix == ".toml" or (path / "recipe.toml").is_file():
        from cczsim.pipeline.recipes import build_recipe

        return build_recipe(read_recipe(path), progress)
    if path.is_dir() and (path / "link.csv").is_file():
        from cczsim.io import gmns

        with progress.step("read GMNS"):
            return gmns.read_network(path)
    if path.name.endswith(_OSM):
        from cczsim.network.line_build import with_transfers
        from cczsim.osm.route_lines import RouteSettings
        from cczsim.pipeline.recipes import build_extract

        network = build_extract(path, progress, keep=keep or "all", routes=RouteSettings())
        if network.transit is not None and network.transit.n_lines:
            network = network.replace(transit=with_transfers(network.transit))
        return network
    if path.is_file() and path.suffix == ".tntp":
        from cczsim.io import tntp

        with progress.step("read TNTP"):
            return tntp.read_network(path)
    raise InputError.of(
        str(path), "no network that is known",
        "a folder with network.json, recipe.toml or link.csv, or a .toml, .osm.pbf or _net.tntp",
    )  # fmt: skip


def network_inputs(path: str | Path) -> list[Path]:
    """Return the files that a network is made of, for the record of a run."""
    from cczsim.io.recipe import read_recipe

    path = Path(path)
    if path.suffix == ".toml" or (path / "recipe.toml").is_file():
        return read_recipe(path).inputs()
    if path.is_dir():
        return sorted(
            f for f in path.iterdir() if f.is_file() and f.name not in (HEALTH_PAGE, CENTRELINES)
        )
    return [path]


def build(
    source: str, out: Path | None = None, json_file: Path | None = None, *,
    keep: str | None = None, gmns: Path | None = None, progress: Progress,
) -> int:  # fmt: skip
    """Build a network, save it to ``out``, its roads to ``gmns``, its account to ``json_file``."""
    network = load_network(source, progress, keep)
    drawn = None
    if "roads" in network.info.build:
        from cczsim.network.centrelines import draw_centrelines

        with progress.step("centrelines"):
            drawn = draw_centrelines(network.road)
        told = {**network.info.build, "centrelines": drawn.report}
        network = network.replace(info=replace(network.info, build=told))
    if out is not None:
        from cczsim.io.bundle import save_network

        with progress.step("save"):
            save_network(network, out)
        if "roads" in network.info.build or "rail" in network.info.build:
            with progress.step("health page"):
                _save_page(network, out)
        if drawn is not None:
            from cczsim.io.centreline_layer import save_centrelines

            with progress.step("centrelines file"):
                save_centrelines(drawn.road, out / CENTRELINES)
    if gmns is not None:
        from cczsim.io.gmns import write_network

        with progress.step("write GMNS"):
            try:
                left_out = write_network(network, gmns)
            except OSError as error:
                raise OutputError.of(str(gmns), str(error), "a folder to write to") from error
        if left_out:
            progress.say(f"GMNS: {left_out} turn rules by way of a link have no place there")
    account = {**account_of(network), "seconds": dict(progress.seconds)}
    if json_file is not None:
        text = json.dumps(account, ensure_ascii=False, indent=1)
        try:
            json_file.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise OutputError.of(str(json_file), str(error), "a file to write") from error
    for line in summary(network):
        progress.say(line)
    return 0


def _save_page(network: Network, out: Path) -> None:
    """Write the page about the health of a network beside it."""
    from cczsim.report.health import health_page

    page = out / HEALTH_PAGE
    try:
        page.with_suffix(".part").write_text(health_page(network), encoding="utf-8")
        page.with_suffix(".part").replace(page)
    except OSError as error:
        raise OutputError.of(str(page), str(error), "a file to write") from error


def info(path: str | Path, *, progress: Progress) -> int:
    """Say what a network holds and what its checks find."""
    from cczsim.network.checks import check_network

    network = load_network(path, progress)
    for line in summary(network):
        progress.say(line)
    for finding in check_network(network):
        progress.say(f"{finding.severity}: {finding.message}")
    return 0


def account_of(network: Network) -> dict[str, Any]:
    """Return counts and kilometres of a network with the account of its build, as plain JSON."""
    from cczsim.network.edit import carriageway_rows
    from cczsim.network.provenance import Source
    from cczsim.network.road import ATTRIBUTES
    from cczsim.network.road_class import CONNECTOR, ROAD_CLASSES

    road, zones, transit = network.road, network.zones, network.transit
    once = carriageway_rows(road)
    street = road.road_class != CONNECTOR
    classes: dict[str, dict[str, Any]] = {}
    for code, name in enumerate(ROAD_CLASSES):
        own = road.road_class == code
        if own.any():
            km = road.length[once][own[once]].sum() / 1e3 if code != CONNECTOR else 0.0
            classes[name] = {"links": int(own.sum()), "km": float(km)}
    provenance = {}
    for name in ("class", *ATTRIBUTES):
        share = np.bincount(getattr(road, f"{name}_source")[street], minlength=len(Source))
        provenance[name] = {
            s.name.lower(): float(share[s] / max(share.sum(), 1)) for s in Source if share[s]
        }
    build = dict(network.info.build)
    roads = build.get("roads", {})
    mapped = dict(roads.get("highway", {}))
    for name, row in classes.items():
        if name in mapped:
            own = mapped.pop(name)
            row |= {
                "mapped_ways": own["ways"],
                "mapped_km": own["km"],
                "left_out_km": sum(part["km"] for part in own["left_out"].values()),
                "left_out": own["left_out"],
            }
    return {
        "name": network.info.name,
        "nodes": road.n_nodes,
        "links": road.n_links,
        "km": float(road.length[once].sum() / 1e3),
        "classes": classes,
        "provenance": provenance,
        "other_ways": mapped,
        "components": roads.get("components") or _components(road),
        "turn_restrictions": roads.get(
            "turn_restrictions", {"kept": 0, "refused": 0, "reasons": {}}
        ),
        "zones": 0 if zones is None else zones.n_zones,
        "lines": 0 if transit is None else transit.n_lines,
        "stops": 0 if transit is None else transit.n_stops,
        "build": build,
    }


def _components(road: RoadNetwork) -> dict[str, Any]:
    """Return the components of a network that was not built here: all are kept."""
    from cczsim.osm.components import component_of, describe_components

    return describe_components(road, component_of(road, "strong"))


def summary(network: Network) -> list[str]:
    """Return what a network holds, in lines."""
    from cczsim.osm.route_tags import ROUTE_MODE

    account = account_of(network)
    head = network.info.title or network.info.name
    counts = f"{account['nodes']} nodes, {account['links']} directed links"
    lines = [f"{head}: {counts}, {account['km']:.1f} km of streets"]
    for name, row in account["classes"].items():
        text = f"  {name}: {row['links']} links, {row['km']:.1f} km"
        if row.get("left_out_km", 0.0) >= 0.05:
            text += f" of {row['mapped_km']:.1f} km mapped; left out: " + ", ".join(
                f"{why} {part['km']:.1f} km" for why, part in row["left_out"].items()
            )
        lines.append(text)
    if account["other_ways"]:
        km = sum(row["km"] for row in account["other_ways"].values())
        ways = sum(row["ways"] for row in account["other_ways"].values())
        kinds = list(account["other_ways"])
        more = f" and {len(kinds) - 6} more" if len(kinds) > 6 else ""
        lines.append(f"  no road for cars: {ways} ways, {km:.1f} km ({', '.join(kinds[:6])}{more})")
    drawn = account["build"].get("centrelines")
    if drawn is not None and drawn["streets_drawn_in_the_middle"]:
        before, after = drawn["before"], drawn["after"]
        lines.append(
            f"  with dual carriageways as one line: {after['km']:.1f} km, {after['junctions']} "
            f"junctions of {before['junctions']}, {after['parts']} connected parts of "
            f"{before['parts']}"
        )
    parts = account["components"]
    lines.append(
        f"  {parts['kept']} strong components kept, {parts['dropped']} dropped "
        f"({parts['dropped_link_km']:.1f} km of directed links)"
    )
    outside = parts.get("outside_main_link_km_by_class", {})
    if outside:
        where = "cut off, in km of directed links" if parts["dropped"] else (
            "not reached and returned from in the largest, in km of directed links (kept all the "
            "same; --keep largest leaves them out)"
        )  # fmt: skip
        lines.append(f"  {where}: " + ", ".join(f"{k} {v:.1f}" for k, v in outside.items()))
    cut = parts.get("cut_off_by_turn_rules", {"links": 0})
    if cut["links"]:
        km = sum(cut["link_km_by_class"].values())
        lines.append(f"  turn rules alone cut off {cut['links']} links, {km:.1f} km")
    told = account["build"]
    for finding in [*told.get("roads", {}).get("findings", []), *told.get("findings", [])]:
        ids = ", ".join(str(i) for i in finding["ids"][:3])
        more = " …" if len(finding["ids"]) > 3 else ""
        lines.append(
            f"  finding: {finding['message']}"
            + (f" ({finding['kind']} {ids}{more})" if ids else "")
        )
    turns = account["turn_restrictions"]
    if turns["kept"] or turns["refused"]:
        why = ", ".join(f"{count} {reason}" for reason, count in turns["reasons"].items())
        lines.append(
            f"  {turns['kept']} turn restrictions kept, {turns['refused']} refused"
            + (f" ({why})" if why else "")
        )
    if network.zones is not None:
        z = network.zones
        lines.append(
            f"  {z.n_zones} zones, {z.population.sum():.0f} residents, {z.jobs.sum():.0f} jobs"
        )
    if network.transit is not None:
        lines.append(f"  {account['lines']} directed lines, {account['stops']} stops")
        alone = account["build"].get("transit_access", {}).get("zones_without_stop", 0)
        if alone:
            lines.append(f"  {alone} of {account['zones']} zones reach no stop")
        if "bus_runs" in account["build"]:
            km, on_streets, beyond = account["build"]["bus_runs"].values()
            lines.append(
                f"  bus lines run {km:.0f} km: {on_streets:.0f} km on these streets, {beyond:.0f} "
                "km from or to beyond their edge"
            )
        graph = account["build"].get("rail", {}).get("graph", [])
        if graph:
            lines.append(
                f"  {len(graph)} pairs of stations follow each other on tracks, "
                f"{sum(pair['km'] for pair in graph):.1f} km (--json lists them)"
            )
        lines += [
            f"  {told['runs_on_tracks']} of {told['runs']} runs of a table lie on tracks"
            for told in account["build"].get("lines_on_tracks", [])
            if told["runs_on_tracks"]
        ]
        for kind, row in account["build"].get("routes", {}).get("by_route", {}).items():
            if row["built"] or kind in ROUTE_MODE:
                left = row["relations"] - row["built"]
                lines.append(
                    f"  route={kind}: {row['relations']} relations, {row['lines']} directed lines"
                    + (f", {left} relations without (see --json)" if left else "")
                )
    generated = account["provenance"]["class"].get("generated", 0.0)
    if generated:
        lines.append(f"  {generated:.0%} of the links were generated")
    lines += [f"  {text}" for text in network.info.attribution]
    return lines
