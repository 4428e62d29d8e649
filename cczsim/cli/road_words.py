"""The command that assigns trips to roads, and what compiles kernels before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cczsim.cli.words import Commands, number, positive

if TYPE_CHECKING:
    from cczsim.pipeline.progress import Progress


def add(commands: Commands) -> None:
    """Declare them."""
    assign = commands.add("assign", "assign trips to roads", _assign)
    assign.add_argument("network", metavar="NETWORK")
    assign.add_argument("trips", nargs="?", metavar="TRIPS")
    assign.add_argument(
        "--algorithm", default="b", help="b (default), bfw, cfw, fw, msa, aon or sue"
    )
    assign.add_argument(
        "--gap", type=number, help="relative gap (default 1e-6; 1e-12 with --proportional)"
    )
    assign.add_argument("--max-iterations", type=positive, default=1000)
    assign.add_argument("--threads", type=positive)
    assign.add_argument(
        "--theta", type=number, help="dispersion of sue, 1 / time unit of the network"
    )
    assign.add_argument("--toll-factor", type=number, default=0.0)
    assign.add_argument("--distance-factor", type=number, default=0.0)
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
        "--proportional", action="store_true",
        help="skims, selections, paths and flows of classes by the most likely ways: all origins, "
        "destinations and classes use ways of equal cost in the same proportion",
    )  # fmt: skip
    assign.add_argument(
        "--warm-start", type=Path, metavar="FILE.npz", help="start from saved bushes"
    )
    assign.add_argument(
        "--save-bushes", type=Path, metavar="FILE.npz", help="save bushes to start from"
    )

    commands.add("warmup", "compile all kernels now, so that the first run need not", _warmup)


def _assign(progress: Progress, **options: Any) -> int:
    from cczsim.pipeline.assign import assign

    if options["gap"] is None:
        options["gap"] = 1e-12 if options["proportional"] else 1e-6
    return assign(progress=progress, **options)


def _warmup(progress: Progress) -> int:
    from cczsim.pipeline.warmup import warmup

    return warmup(progress=progress)
