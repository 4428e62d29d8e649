"""The commands that find trips."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cczsim.cli.words import Commands, number, positive

if TYPE_CHECKING:
    from cczsim.pipeline.progress import Progress


def add(commands: Commands) -> None:
    """Declare them."""
    demand = commands.group("demand", "find trips from what is observed")
    estimate = demand.add("estimate", "fit a prior trip matrix to link counts", _estimate)
    estimate.add_argument("network", metavar="NETWORK")
    estimate.add_argument("prior", metavar="PRIOR", help="trips as for assign: OMX, CSV, TNTP")
    estimate.add_argument("counts", metavar="COUNTS.csv", help="from_node,to_node,count[,sd]")
    estimate.add_argument("--out", type=Path, required=True, metavar="TRIPS.omx")
    estimate.add_argument(
        "--prior-weight", type=number, default=0.1,
        help="what the distance from the prior weighs; 0 fits counts alone (default 0.1)",
    )  # fmt: skip
    estimate.add_argument(
        "--hold-out", default="0 %", metavar="SHARE",
        help="share of counts that are not fitted but compared (default 0 %%)",
    )  # fmt: skip
    estimate.add_argument("--seed", type=int, default=0, metavar="N", help="default 0")
    estimate.add_argument(
        "--gap", type=number, default=1e-6, help="relative gap of each equilibrium (default 1e-6)"
    )
    estimate.add_argument(
        "--tolerance", type=number, default=1e-3,
        help="stop when the objective falls by less than this share (default 1e-3)",
    )  # fmt: skip
    estimate.add_argument("--max-iterations", type=positive, default=20)
    estimate.add_argument("--toll-factor", type=number, default=0.0)
    estimate.add_argument("--distance-factor", type=number, default=0.0)
    estimate.add_argument("--threads", type=positive)
    estimate.add_argument("--fit", type=Path, metavar="FILE.csv", help="flows beside counts")
    estimate.add_argument("--json", dest="json_file", type=Path, metavar="FILE")

    calibrate = demand.add("calibrate", "find parameters that give what was observed", _calibrate)
    calibrate.add_argument("scenario", type=Path, metavar="SCENARIO.toml")
    calibrate.add_argument(
        "--mean-length", metavar="LENGTH", help='mean length of trips along streets, "6 km"'
    )
    calibrate.add_argument(
        "--lengths", type=Path, metavar="FILE.csv", help="from_km,to_km,share of trips"
    )
    calibrate.add_argument(
        "--share", action="append", default=[], metavar="MODE=SHARE",
        help="share of trips by car or transit, 'car=30 %%'; again for the other",
    )  # fmt: skip
    calibrate.add_argument(
        "--boardings", action="append", default=[], metavar="MODE=N",
        help="boardings a day on metro or bus, 'metro=2.58e6'",
    )  # fmt: skip
    calibrate.add_argument(
        "--speed", action="append", default=[], metavar="AREA=SPEED",
        help="mean speed on urban streets of a tier or all, 'central=21.1 km/h'",
    )  # fmt: skip
    calibrate.add_argument("--out", type=Path, required=True, metavar="FILE.toml")
    calibrate.add_argument("--max-rounds", type=positive, default=10, metavar="N")
    calibrate.add_argument(
        "--tolerance", default="1 %", help="share that figures may be off (default 1 %%)"
    )
    calibrate.add_argument("--threads", type=positive)
    calibrate.add_argument("--json", dest="json_file", type=Path, metavar="FILE")


def _estimate(progress: Progress, **options: Any) -> int:
    from cczsim.pipeline.estimate import estimate

    return estimate(progress=progress, **options)


def _calibrate(progress: Progress, **options: Any) -> int:
    from cczsim.pipeline.calibrate import calibrate

    return calibrate(progress=progress, **options)
