"""Commands on passengers: assign them to lines, find times by a timetable."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cczsim.cli.words import Commands, number, positive

if TYPE_CHECKING:
    from cczsim.pipeline.progress import Progress


def add(commands: Commands) -> None:
    """Declare them."""
    actions = commands.group("transit", "passengers on lines")
    riders = actions.add("assign", "assign trips to the lines of a network or a timetable", _assign)
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
        "--gap", type=number, default=1e-4, help="relative gap with crowding (default 1e-4)"
    )
    riders.add_argument("--max-iterations", type=positive, default=500)
    riders.add_argument("--threads", type=positive)
    riders.add_argument("--lost-demand", default="0.1 %", help="tolerated share (default 0.1 %%)")
    riders.add_argument("--json", dest="json_file", type=Path, metavar="FILE")

    skim = actions.add("skim", "find times from place to place by a timetable", _skim)
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
    skim.add_argument("--max-rides", type=positive, default=5, help="vehicles boarded at most")
    skim.add_argument(
        "--longest", default="3 h", help="longest journey that counts as a way (default 3 h)"
    )
    skim.add_argument("--threads", type=positive)
    skim.add_argument("--csv", dest="csv_file", type=Path, metavar="FILE.csv")
    skim.add_argument("--json", dest="json_file", type=Path, metavar="FILE")


def _assign(progress: Progress, **options: Any) -> int:
    from cczsim.pipeline.transit import transit_assign

    return transit_assign(progress=progress, **options)


def _skim(progress: Progress, **options: Any) -> int:
    from cczsim.pipeline.transit_skim import transit_skim

    return transit_skim(progress=progress, **options)
