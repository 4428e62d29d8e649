"""Commands that weigh options: rank, design, curve."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cczsim.cli.words import Commands, number, positive

if TYPE_CHECKING:
    from cczsim.pipeline.progress import Progress


def add(commands: Commands) -> None:
    """Declare them."""
    rank = commands.add("rank", "rank scenarios, in the same samples of what is not known", _rank)
    rank.add_argument("scenarios", nargs="+", type=Path, metavar="SCENARIO.toml")
    rank.add_argument(
        "--by", action="append", default=[], metavar="KEY",
        help="figure to rank by, as in [targets]; several: again, or with commas; KEY:less or "
        "KEY:more where neither goes without saying",
    )  # fmt: skip
    rank.add_argument(
        "--uncertainty", type=Path, metavar="FILE.toml",
        help="ranges of what is not known, beside those of the scenarios",
    )  # fmt: skip
    rank.add_argument("--samples", type=positive, metavar="N", help="default 64")
    rank.add_argument("--seed", type=int, default=0, metavar="N", help="default 0")
    rank.add_argument("--design", choices=["sobol", "lhs"], default="sobol")
    rank.add_argument(
        "--gap", type=number,
        help="bring every run to this relative gap by bushes, samples starting from their option "
        "as it is (default: as the scenarios say)",
    )  # fmt: skip
    _add_where(rank)
    rank.add_argument("--threads", type=positive, help="threads of all workers together")
    rank.add_argument("--out", type=Path, default=Path("results/rank"), help="folder for results")
    rank.add_argument("--resume", action="store_true", help="keep the runs that were finished")
    rank.add_argument("--lang", choices=["en", "zh"], default="en", help="language of the page")
    rank.add_argument("--quiet", action="store_true", help="say only what is asked for")

    curve = commands.add(
        "curve", "raise road density step by step, in scenarios side by side", _curve
    )
    curve.add_argument("scenarios", nargs="+", type=Path, metavar="SCENARIO.toml")
    curve.add_argument("--area", required=True, help="a tier, a district or all")
    curve.add_argument("--to", default="9 km/km2", help="highest density (default '9 km/km2')")
    curve.add_argument("--points", type=positive, default=8, metavar="N", help="default 8")
    curve.add_argument("--convention", help="default: that of the scenario")
    curve.add_argument("--class", dest="road_class", default="tertiary", metavar="CLASS")
    curve.add_argument("--gap", type=number, default=1e-6, help="relative gap (default 1e-6)")
    curve.add_argument(
        "--cold", action="store_true",
        help="seek each equilibrium from empty roads, not from that of the scenario as it is",
    )  # fmt: skip
    _add_where(curve)
    curve.add_argument("--threads", type=positive, help="threads of all workers together")
    curve.add_argument("--out", type=Path, default=Path("results/curve"), help="folder for results")
    curve.add_argument("--resume", action="store_true", help="keep the runs that were finished")
    curve.add_argument("--lang", choices=["en", "zh"], default="en", help="language of the page")
    curve.add_argument("--quiet", action="store_true", help="say only what is asked for")

    design = commands.add("design", "propose streets that reach a density, as a scenario", _design)
    design.add_argument("source", type=Path, metavar="SCENARIO.toml|NETWORK")
    design.add_argument("--area", required=True, help="as for density")
    design.add_argument("--target", help="'7 km/km2', or '+10 %%' on today's density")
    design.add_argument("--budget", help="money instead of a target: '2e9 CNY'")
    design.add_argument("--out", type=Path, required=True, metavar="FILE.toml")
    design.add_argument("--page", type=Path, metavar="FILE.html", help="a map of the streets")
    design.add_argument(
        "--choose", choices=["blocks", "length", "benefit"], default="blocks",
        help="cut the largest blocks first, build the longest streets first, or test bundles of "
        "streets by equilibria (takes a scenario)",
    )  # fmt: skip
    design.add_argument("--bundles", type=positive, default=24, metavar="N", help="default 24")
    _add_where(design)
    design.add_argument("--threads", type=positive, help="threads of all workers together")
    design.add_argument("--convention", help="default: the first that counts any street here")
    design.add_argument("--each", action="store_true", help="the target holds for each area")
    design.add_argument("--class", dest="road_class", default="tertiary", metavar="CLASS")
    design.add_argument("--lanes", type=number, default=1.0, help="in one direction (default 1)")
    design.add_argument("--speed", default="30 km/h")
    design.add_argument("--width", help="between building lines (default: by class)")
    design.add_argument("--cost-per-km", help="at ground level (default: by class, assumed)")
    design.add_argument(
        "--keep-out", type=Path, action="append", default=[], metavar="FILE",
        help="polygons or lines that no street goes through, beside the network's own water",
    )  # fmt: skip
    design.add_argument("--clearance", default="0 m", help="how far off them streets stay")
    design.add_argument("--bridges", default="0 m", help="longest bridge over them (default: none)")
    design.add_argument("--max-block", default="60 ha", help="larger blocks are left alone")
    design.add_argument("--quiet", action="store_true", help="say only what is asked for")


def _add_where(command: Any) -> None:
    where = command.add_mutually_exclusive_group()
    where.add_argument("--workers", type=positive, default=1, metavar="N", help="default 1")
    where.add_argument("--cluster", metavar="ADDRESS", help="a Dask scheduler, tcp://…")


def _rank(progress: Progress, scenarios: list[Path], **options: Any) -> int:
    from cczsim.pipeline.rank import rank

    return rank(scenarios, progress=progress, **options)


def _curve(progress: Progress, scenarios: list[Path], **options: Any) -> int:
    from cczsim.pipeline.curve import curve

    return curve(scenarios, progress=progress, **options)


def _design(progress: Progress, source: Path, **options: Any) -> int:
    from cczsim.pipeline.design import design

    return design(source, progress=progress, **options)
