"""What a feed held and what was wrong with it, as plain JSON; and why nothing runs in a window."""

from __future__ import annotations

from collections import Counter
from math import isfinite
from typing import Any, Final

import pandas as pd

from cczsim.errors import InputError
from cczsim.io.gtfs_calendar import Calendar, Window, clock_text
from cczsim.io.gtfs_tables import Feed
from cczsim.io.gtfs_trips import Service
from cczsim.network.transit import MODES, TransitNetwork

_SHOWN_DATES: Final = 6


def nothing_runs(
    feed: Feed, calendar: Calendar, trips: pd.DataFrame, service: Service, window: Window
) -> InputError:
    """Return the fault of a window in which nothing runs, with when something does."""
    running = calendar.services(window.date)
    if trips["service_id"].isin(running).any():
        if not service.on_date:
            wrong = [r for r in feed.findings.rows if r["file"] in ("trips.txt", "stop_times.txt")]
            return InputError.of(
                feed.where("stop_times.txt"), f"no trip with times on {window.date}",
                "trips with times at two stops or more",
                "; ".join(f"{r['what']}: {r['count']}" for r in wrong[-3:]),
            )  # fmt: skip
        span = f"{clock_text(service.first)} to {clock_text(service.last)}"
        return InputError.of(
            str(feed.path), f"no trip that starts {window}",
            f"a window in which trips start; on that date they start from {span}",
        )  # fmt: skip
    dates = calendar.dates()
    if not dates:
        return InputError.of(feed.where("calendar.txt"), "no date with service", "at least one")
    near = sorted(sorted(dates, key=lambda d: abs((d - window.date).days))[:_SHOWN_DATES])
    return InputError.of(
        str(feed.path), f"no service on {window.date}",
        f"one of {len(dates)} dates from {dates[0]} to {dates[-1]}",
        "the nearest are " + ", ".join(str(d) for d in near),
    )  # fmt: skip


def feed_report(
    feed: Feed, calendar: Calendar, service: Service,
    trips: pd.DataFrame, routes: pd.DataFrame, transit: TransitNetwork, by_shape: int,
    window: Window,
) -> dict[str, Any]:  # fmt: skip
    """Return the account of a feed.

    Parameters
    ----------
    trips, routes : DataFrame
        Those of known routes, and of public transport.
    by_shape : int
        Runs whose length is that of a shape.
    """
    dates = calendar.dates()
    modes = Counter(MODES[code] for code in transit.mode)
    running = service.starts > 0
    return {
        "file": feed.path.name,
        "date": str(window.date),
        "from": clock_text(window.begin),
        "to": clock_text(window.end),
        "rows": {name: len(table) for name, table in feed.tables.items() if len(table)},
        "service_dates": len(dates),
        "first_date": str(dates[0]) if dates else "",
        "last_date": str(dates[-1]) if dates else "",
        "trips_on_date": service.on_date,
        # None starts on the date where only trips of the day before still run.
        "starts_on_date": [clock_text(t) for t in (service.first, service.last) if isfinite(t)],
        "trips_in_window": float(service.starts.sum()),
        "trips_by_frequency": float(service.starts[service.by_frequency].sum()),
        "routes": len(routes),
        "routes_in_window": int(trips["route_id"][running].nunique()),
        "lines": transit.n_lines,
        "lines_by_mode": dict(sorted(modes.items())),
        "stops_in_window": transit.n_stops,
        "times_interpolated": round(service.interpolated, 6),
        "runs": int(len(transit.line_stop) - transit.n_lines),
        "runs_along_shape": by_shape,
        "fares": transit.size("ticket"),
        "capacity": "assumed: the mode's default",
        "findings": feed.findings.rows,
    }
