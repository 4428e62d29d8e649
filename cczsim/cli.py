"""Words from a terminal; everything behind them is imported only when asked for."""

from __future__ import annotations

import argparse
import contextlib
import os
import resource
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

from cczsim import __version__

if TYPE_CHECKING:
    from cczsim.pipeline.progress import Progress

_EXIT_CODES = """\
exit codes:
  0  done
  1  the run ended without what was asked (not converged, too much demand lost, a target
     missed under --strict)
  2  wrong input or usage; one message a fault
"""

_LEAST_MEMORY = 5 * 2**29
_NOT_PASSED = ("command", "scenarios", "quiet")


class _Parser(argparse.ArgumentParser):
    """A parser that says what to do next after a wrong word."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {self.prog}: {message}; try '{self.prog} --help'\n")


def _positive(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}; expected a whole number from 1 up")
    return value


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) < 2**16:
        raise argparse.ArgumentTypeError(f"found {text!r}; expected a port from 0 to 65535")
    return int(text)


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 0.0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"found {text!r}; expected a number from 0 up")
    return value


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = _Parser(
        prog="cczsim",
        description="Transport network simulation: networks from OpenStreetMap, exact assignment, "
        "scenarios compared.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"cczsim {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, parent: Any = commands) -> argparse.ArgumentParser:
        parser_of: argparse.ArgumentParser = parent.add_parser(name, help=text, description=text)
        return parser_of

    run = command("run", "run scenarios, each with the base it is compared to")
    run.add_argument("scenarios", nargs="+", type=Path, metavar="SCENARIO.toml")
    run.add_argument("--out", type=Path, default=Path("results"), help="folder for results")
    run.add_argument(
        "--threads", type=_positive, help="threads (default: all; never changes a bit)"
    )
    run.add_argument("--resume", action="store_true", help="keep what an earlier run finished")
    run.add_argument("--lang", choices=["en", "zh"], help="language the report opens in")
    run.add_argument("--strict", action="store_true", help="exit 1 when a target is missed")
    run.add_argument("--quiet", action="store_true", help="say only what is wrong")

    validate = command("validate", "check a scenario and all it names, without solving")
    validate.add_argument("scenario", type=Path, metavar="SCENARIO.toml")

    diff = command("diff", "say what scenario B changes against A")
    diff.add_argument("a", type=Path, metavar="A.toml")
    diff.add_argument("b", type=Path, metavar="B.toml")

    compare = command("compare", "set two result folders side by side")
    compare.add_argument("a", type=Path, metavar="RESULT_A")
    compare.add_argument("b", type=Path, metavar="RESULT_B")

    rank = command("rank", "rank scenarios, in the same samples of what is not known")
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
    rank.add_argument("--samples", type=_positive, metavar="N", help="default 64")
    rank.add_argument("--seed", type=int, default=0, metavar="N", help="default 0")
    rank.add_argument("--design", choices=["sobol", "lhs"], default="sobol")
    where = rank.add_mutually_exclusive_group()
    where.add_argument("--workers", type=_positive, default=1, metavar="N", help="default 1")
    where.add_argument("--cluster", metavar="ADDRESS", help="a Dask scheduler, tcp://…")
    rank.add_argument("--threads", type=_positive, help="threads of all workers together")
    rank.add_argument("--out", type=Path, default=Path("results/rank"), help="folder for results")
    rank.add_argument("--resume", action="store_true", help="keep the runs that were finished")
    rank.add_argument("--lang", choices=["en", "zh"], default="en", help="language of the page")
    rank.add_argument("--quiet", action="store_true", help="say only what is asked for")

    density = command("density", "measure road density by named conventions")
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
    density.add_argument("--json", dest="json_file", type=Path, metavar="FILE")

    curve = command("curve", "raise road density step by step, in scenarios side by side")
    curve.add_argument("scenarios", nargs="+", type=Path, metavar="SCENARIO.toml")
    curve.add_argument("--area", required=True, help="a tier, a district or all")
    curve.add_argument("--to", default="9 km/km2", help="highest density (default '9 km/km2')")
    curve.add_argument("--points", type=_positive, default=8, metavar="N", help="default 8")
    curve.add_argument("--convention", help="default: that of the scenario")
    curve.add_argument("--class", dest="road_class", default="tertiary", metavar="CLASS")
    curve.add_argument("--gap", type=_number, default=1e-6, help="relative gap (default 1e-6)")
    curve.add_argument("--workers", type=_positive, default=1, metavar="N", help="default 1")
    curve.add_argument("--threads", type=_positive, help="threads of all workers together")
    curve.add_argument("--out", type=Path, default=Path("results/curve"), help="folder for results")
    curve.add_argument("--resume", action="store_true", help="keep the runs that were finished")
    curve.add_argument("--lang", choices=["en", "zh"], default="en", help="language of the page")
    curve.add_argument("--quiet", action="store_true", help="say only what is asked for")

    design = command("design", "propose streets that reach a density, as a scenario")
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
    design.add_argument("--bundles", type=_positive, default=24, metavar="N", help="default 24")
    design.add_argument("--convention", help="default: the first that counts any street here")
    design.add_argument("--each", action="store_true", help="the target holds for each area")
    design.add_argument("--class", dest="road_class", default="tertiary", metavar="CLASS")
    design.add_argument("--lanes", type=_number, default=1.0, help="in one direction (default 1)")
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

    network = command("network", "build a network or look at one")
    actions = network.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = command("build", "build a network from a recipe or an OSM extract", actions)
    build.add_argument("source", metavar="RECIPE.toml|EXTRACT.osm.pbf")
    build.add_argument("--out", type=Path, help="folder for the built network")
    build.add_argument("--json", dest="json_file", type=Path, metavar="FILE")
    info = command("info", "say what a network holds", actions)
    info.add_argument("network", metavar="NETWORK")

    assign = command("assign", "assign trips to roads")
    assign.add_argument("network", metavar="NETWORK")
    assign.add_argument("trips", nargs="?", metavar="TRIPS")
    assign.add_argument(
        "--algorithm", default="b", help="b (default), bfw, cfw, fw, msa, aon or sue"
    )
    assign.add_argument("--gap", type=_number, default=1e-6, help="relative gap (default 1e-6)")
    assign.add_argument("--max-iterations", type=_positive, default=1000)
    assign.add_argument("--threads", type=_positive)
    assign.add_argument(
        "--theta", type=_number, help="dispersion of sue, 1 / time unit of the network"
    )
    assign.add_argument("--toll-factor", type=_number, default=0.0)
    assign.add_argument("--distance-factor", type=_number, default=0.0)
    assign.add_argument("--lost-demand", default="0.1 %", help="tolerated share (default 0.1 %%)")
    assign.add_argument(
        "--system-optimum", dest="system", action="store_true",
        help="find the flows of least total cost and the tolls that bring them about",
    )  # fmt: skip
    assign.add_argument(
        "--classes", type=Path, metavar="FILE.toml",
        help="user classes with trips, weights, tolls and closed links of their own; no TRIPS then",
    )  # fmt: skip
    assign.add_argument("--flows", type=Path, metavar="FILE.csv")
    assign.add_argument("--json", dest="json_file", type=Path, metavar="FILE")
    assign.add_argument(
        "--skims", type=Path, metavar="FILE.omx", help="time, distance, toll, cost of used ways"
    )
    assign.add_argument(
        "--select-link", action="append", default=[], metavar="FROM-TO",
        help="trips that use a link and where they drive, into --selection",
    )  # fmt: skip
    assign.add_argument(
        "--select-zone", action="append", default=[], metavar="ZONE",
        help="flow of the trips from and to a zone, into --selection",
    )  # fmt: skip
    assign.add_argument("--selection", type=Path, metavar="DIR")
    assign.add_argument("--pairs", type=Path, metavar="FILE.csv", help="origin,destination")
    assign.add_argument("--paths", type=Path, metavar="FILE.csv", help="used ways of --pairs")
    assign.add_argument(
        "--warm-start", type=Path, metavar="FILE.npz", help="start from saved bushes"
    )
    assign.add_argument(
        "--save-bushes", type=Path, metavar="FILE.npz", help="save bushes to start from"
    )

    transit = command("transit", "passengers on lines")
    actions = transit.add_subparsers(dest="action", required=True, metavar="ACTION")
    riders = command("assign", "assign trips to the lines of a network or a timetable", actions)
    riders.add_argument("network", metavar="NETWORK|GTFS")
    riders.add_argument(
        "trips", nargs="?", metavar="TRIPS",
        help="trips/h between zones; for a GTFS feed a CSV origin,destination,trips of stop ids; "
        "without it only times are found, for a feed between at most 200 stops",
    )  # fmt: skip
    riders.add_argument("--date", help="date of a GTFS feed (default: its busiest)")
    riders.add_argument("--from", dest="begin", metavar="HH:MM", help="default 07:00")
    riders.add_argument(
        "--to", dest="end", metavar="HH:MM", help="default 09:00; 25:00 is past midnight"
    )
    riders.add_argument(
        "--crowding", choices=["off", "comfort", "capacity"], default="off",
        help="full vehicles: time aboard weighs more (comfort), and whoever finds no room waits "
        "(capacity)",
    )  # fmt: skip
    riders.add_argument(
        "--crowded-lines", choices=["known", "all"], default="known",
        help="lines whose places count: those of known service (default), or made-up ones too",
    )  # fmt: skip
    riders.add_argument(
        "--gap", type=_number, default=1e-4, help="relative gap with crowding (default 1e-4)"
    )
    riders.add_argument("--max-iterations", type=_positive, default=500)
    riders.add_argument("--threads", type=_positive)
    riders.add_argument("--lost-demand", default="0.1 %", help="tolerated share (default 0.1 %%)")
    riders.add_argument("--json", dest="json_file", type=Path, metavar="FILE")

    skim = command("skim", "find times from place to place by a timetable", actions)
    skim.add_argument("feed", metavar="GTFS")
    skim.add_argument(
        "places", nargs="?", metavar="PLACES.csv",
        help="CSV id,lon,lat; without it at most 200 stops of the feed",
    )  # fmt: skip
    skim.add_argument("--date", help="date of the feed (default: its busiest)")
    skim.add_argument("--from", dest="begin", metavar="HH:MM", help="default 07:00")
    skim.add_argument(
        "--to", dest="end", metavar="HH:MM", help="default 09:00; 25:00 is past midnight"
    )
    skim.add_argument("--every", default="1 min", help="time between departures (default 1 min)")
    skim.add_argument("--max-walk", default="400 m", help="reach on foot (default 400 m)")
    skim.add_argument("--max-rides", type=_positive, default=5, help="vehicles boarded at most")
    skim.add_argument(
        "--longest", default="3 h", help="longest journey that counts as a way (default 3 h)"
    )
    skim.add_argument("--threads", type=_positive)
    skim.add_argument("--csv", dest="csv_file", type=Path, metavar="FILE.csv")
    skim.add_argument("--json", dest="json_file", type=Path, metavar="FILE")

    init = command("init", "write an example scenario to start from")
    init.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="DIR")
    command("schema", "print the JSON Schema of scenario files")
    explain = command("explain", "explain a key of scenario files")
    explain.add_argument("key", metavar="KEY")
    view = command("view", "show results in a browser of this machine")
    view.add_argument("result", type=Path, metavar="RESULT", help="a result, or a folder of them")
    view.add_argument("--port", type=_port, default=0, help="default: a free one")
    view.add_argument("--no-browser", action="store_true", help="only say the address")
    export = command("export", "load a result into a PostGIS database")
    export.add_argument("result", type=Path, metavar="RESULT")
    export.add_argument("target", metavar="postgresql://USER@HOST:PORT/DATABASE")
    export.add_argument("--as", dest="key", metavar="KEY", help="what the run is called there")
    command("warmup", "compile all kernels now, so that the first run need not")
    return parser


def _dispatch(args: argparse.Namespace) -> int:
    from cczsim.pipeline.progress import Progress

    progress = Progress(quiet=getattr(args, "quiet", False))
    match args.command:
        case "assign" | "warmup":
            from cczsim.pipeline import assign

            if args.command == "warmup":
                return assign.warmup(progress=progress)
            options = {
                k: v for k, v in vars(args).items() if k not in ("command", "network", "trips")
            }
            return assign.assign(args.network, args.trips, progress=progress, **options)
        case "export":
            from cczsim.pipeline.export import export

            return export(args.result, args.target, key=args.key, progress=progress)
        case "view":
            from cczsim.pipeline.view import view

            return view(args.result, port=args.port, browser=not args.no_browser)
        case "transit":
            from cczsim.pipeline import transit, transit_skim

            options = {k: v for k, v in vars(args).items() if k not in ("command", "action")}
            if args.action == "skim":
                return transit_skim.transit_skim(progress=progress, **options)
            return transit.transit_assign(progress=progress, **options)
        case "network":
            from cczsim.pipeline import networks

            if args.action == "build":
                return networks.build(args.source, args.out, args.json_file, progress=progress)
            return networks.info(args.network, progress=progress)
        case "density":
            from cczsim.pipeline import density

            return density.density(
                args.network,
                area=args.area,
                convention=args.convention,
                json_file=args.json_file,
                hexagon=args.hexagon,
                blocks=args.blocks,
                sensitive=args.sensitive,
                progress=progress,
            )
        case "curve":
            from cczsim.pipeline import curve

            options = {k: v for k, v in vars(args).items() if k not in _NOT_PASSED}
            return curve.curve(args.scenarios, progress=progress, **options)
        case "design":
            from cczsim.pipeline import design

            options = {k: v for k, v in vars(args).items() if k not in (*_NOT_PASSED, "source")}
            return design.design(args.source, progress=progress, **options)
        case "rank":
            from cczsim.pipeline import rank

            options = {k: v for k, v in vars(args).items() if k not in _NOT_PASSED}
            return rank.rank(args.scenarios, progress=progress, **options)
        case _:
            return _scenario_command(args, progress)


def _scenario_command(args: argparse.Namespace, progress: Progress) -> int:
    from cczsim.pipeline import runs, scenarios

    handlers: dict[str, Callable[[], int]] = {
        "run": lambda: runs.run(
            args.scenarios,
            out=args.out,
            threads=args.threads,
            resume=args.resume,
            lang=args.lang,
            strict=args.strict,
            progress=progress,
        ),
        "validate": lambda: scenarios.validate(args.scenario, progress=progress),
        "diff": lambda: scenarios.diff(args.a, args.b, progress=progress),
        "compare": lambda: scenarios.compare(args.a, args.b, progress=progress),
        "init": lambda: scenarios.init(args.folder, progress=progress),
        "schema": scenarios.schema,
        "explain": lambda: scenarios.explain(args.key),
    }
    return handlers[args.command]()


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    command = ""
    try:
        try:
            args = build_parser().parse_args(argv)
            command = args.command
            if threading.current_thread() is threading.main_thread():
                # A server that asks to end is obeyed as a key press is.
                signal.signal(signal.SIGTERM, signal.default_int_handler)
            return _say_faults(args)
        finally:
            # A pipe that closed early, or a full disk, shows when what was said is flushed.
            sys.stdout.flush()
    except KeyboardInterrupt:
        again = (
            "; what was solved is kept: run again with --resume"
            if command in ("run", "rank")
            else ""
        )
        print(f"interrupted: no half result was left{again}", file=sys.stderr)
        return 130
    except BrokenPipeError:
        _silence(sys.stdout, sys.stderr)
        return 141
    except MemoryError:
        print("error: memory ran out; take a smaller network or fewer zones", file=sys.stderr)
        return 2
    except ImportError as error:
        return _say_unloaded(error)
    except OSError as error:
        if error.errno is None:
            return _say_unloaded(error)
        where = error.filename or "standard output"
        print(f"error: {where}: found {error.strerror or error}; expected a file or a stream "
              "that can be read and written", file=sys.stderr)  # fmt: skip
        _silence(sys.stdout)
        return 2


def _say_faults(args: argparse.Namespace) -> int:
    from cczsim.errors import CczsimError, Fault

    try:
        room = resource.getrlimit(resource.RLIMIT_AS)[0]
        if room not in (resource.RLIM_INFINITY, -1) and room < _LEAST_MEMORY:
            # Below it the linear algebra library hangs or ends the process without a word.
            raise CczsimError(Fault(
                "memory limit of this process (ulimit -v)", f"{room / 2**30:.2f} GiB",
                f"at least {_LEAST_MEMORY / 2**30:.1f} GiB for the libraries alone", "raise it",
            ))  # fmt: skip
        return _dispatch(args)
    except CczsimError as error:
        for fault in error.faults:
            print(f"error: {fault}", file=sys.stderr)
        return error.exit_code


def _say_unloaded(error: Exception) -> int:
    """Say that a library cannot be loaded, as where memory is limited too far."""
    print(f"error: found a library that cannot be loaded ({error}); expected enough memory for it "
          "and a whole installation", file=sys.stderr)  # fmt: skip
    return 2


def _silence(*streams: TextIO) -> None:
    """Let the interpreter flush streams that nobody reads without a complaint as it ends."""
    for stream in streams:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    sys.exit(main())
