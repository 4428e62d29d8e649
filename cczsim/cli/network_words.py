"""Commands on networks: build one, look at one, measure its density."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cczsim.cli.words import Commands

if TYPE_CHECKING:
    from cczsim.pipeline.progress import Progress


def add(commands: Commands) -> None:
    """Declare them."""
    actions = commands.group("network", "build a network or look at one")
    build = actions.add("build", "build a network from a recipe or an OSM extract", _build)
    build.add_argument("source", metavar="RECIPE.toml|EXTRACT.osm.pbf")
    build.add_argument("--out", type=Path, help="folder for the built network")
    build.add_argument(
        "--keep", choices=["all", "largest"],
        help="of an extract: every street (default), or those that are reached from each other",
    )  # fmt: skip
    build.add_argument(
        "--gmns", type=Path, metavar="FOLDER",
        help="write the roads as GMNS too: node.csv, link.csv, movement.csv",
    )  # fmt: skip
    build.add_argument("--json", dest="json_file", type=Path, metavar="FILE")
    info = actions.add("info", "say what a network holds", _info)
    info.add_argument("network", metavar="NETWORK")

    density = commands.add("density", "measure road density by named conventions", _density)
    density.add_argument("network", metavar="NETWORK")
    density.add_argument(
        "--area",
        help="polygons (GeoJSON, GeoPackage; FILE:NAME,NAME for some), west,south,east,north, a "
        "tier, a district or all",
    )
    density.add_argument("--convention", help="one convention instead of all")
    density.add_argument(
        "--hexagons", dest="hexagon", type=int, metavar="RESOLUTION", help="by H3 hexagon, 0 to 12"
    )
    density.add_argument(
        "--blocks", action="store_true", help="also blocks, intersections, reach of rail"
    )
    density.add_argument(
        "--sensitivity", dest="sensitive", action="store_true",
        help="also what each rule of the convention moves",
    )  # fmt: skip
    density.add_argument(
        "--centrelines", action="store_true",
        help="draw dual carriageways as one line and their junctions as one point first",
    )  # fmt: skip
    density.add_argument("--json", dest="json_file", type=Path, metavar="FILE")


def _build(
    progress: Progress, source: str, out: Path | None, json_file: Path | None, **options: Any
) -> int:
    from cczsim.pipeline.networks import build

    return build(source, out, json_file, progress=progress, **options)


def _info(progress: Progress, network: str) -> int:
    from cczsim.pipeline.networks import info

    return info(network, progress=progress)


def _density(progress: Progress, **options: Any) -> int:
    from cczsim.pipeline.density import density

    return density(progress=progress, **options)
