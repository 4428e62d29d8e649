"""When a feed runs: dates, windows, services by date.

Times of GTFS count from noon less 12 h of the service day and may pass 24:00:00; days on which
clocks change are taken as days of 24 h.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from cczsim.columns import Array
from cczsim.errors import FaultCollector, InputError
from cczsim.io.gtfs_tables import Feed

DAY: Final = 86400.0
_CLOCK: Final = re.compile(r"(\d{1,3}):([0-5]?\d)(?::([0-5]?\d))?")
_WEEK: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LONGEST: Final = 3 * 366
"""Days of one calendar row that are looked at to say when there is service."""


@dataclass(frozen=True)
class Window:
    """A part of a day: ``begin`` and ``end`` in s after midnight of ``date``, the end excluded."""

    date: dt.date
    begin: float
    end: float

    @property
    def length(self) -> float:
        """Length, s."""
        return self.end - self.begin

    def __str__(self) -> str:
        """Return the window as people write it."""
        return f"{self.date} {clock_text(self.begin)}–{clock_text(self.end)}"


class FeedSource(NamedTuple):
    """A feed, its window, and the scenario's money for one of its currency if that is known."""

    path: Path
    window: Window
    fare_rate: float | None = None


def clock_text(seconds: float) -> str:
    """Return ``07:00`` of seconds after midnight."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}" + (f":{rest:02d}" if rest else "")


def clock_seconds(text: str) -> float:
    """Return the seconds of ``7:00`` or ``25:10:00``; NaN where the text is no time."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        return float("nan")
    return 3600.0 * int(match[1]) + 60.0 * int(match[2]) + float(match[3] or 0)


def read_date(text: str) -> dt.date | None:
    """Return the date of ``20190514`` or ``2019-05-14``; None where the text is none."""
    if not re.fullmatch(r"\d{8}|\d{4}-\d\d-\d\d", text):
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def read_window(
    date: str, begin: str, end: str, where: tuple[str, str, str] = ("date", "from", "to")
) -> Window:
    """Return the window of texts.

    Parameters
    ----------
    where : tuple of str
        What to call the three in faults.

    Raises
    ------
    InputError
        A text is no date or time, or the window is empty or longer than a day.
    """
    faults = FaultCollector(InputError)
    day = read_date(date)
    if day is None:
        faults.add(where[0], repr(date), "a date such as 2019-05-14")
    times = [clock_seconds(begin), clock_seconds(end)]
    for place, text, time in zip(where[1:], (begin, end), times, strict=True):
        if not time <= 2 * DAY:
            faults.add(place, repr(text), "a time such as 07:00, at most 48:00")
    if not faults.faults and not 0.0 < times[1] - times[0] <= DAY:
        faults.add(
            where[2], f"{end} after {begin}", "an end after the begin, within 24 hours",
            "an end after midnight is written 25:00",
        )  # fmt: skip
    faults.raise_if_any()
    assert day is not None
    return Window(day, times[0], times[1])


def seconds_of(column: pd.Series) -> Array:
    """Return the seconds of a column of times, NaN where none stands: ``[row], s``."""
    codes, texts = pd.factorize(column)
    return np.asarray(np.array([clock_seconds(str(t)) for t in texts] + [np.nan])[codes])


def numbers_of(column: pd.Series) -> Array:
    """Return the numbers of a column, NaN where none stands or it is not finite: ``[row]``."""
    codes, texts = pd.factorize(column)
    out = np.array([_number(str(t)) for t in texts] + [np.nan])[codes]
    return np.asarray(np.where(np.isfinite(out), out, np.nan))


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


@dataclass(frozen=True)
class Calendar:
    """Services by date.

    Parameters
    ----------
    weeks : tuple of (service, days of the week, first date, last date)
    added, removed : mapping of date to set of services
        Exceptions; one that removes beats one that adds.
    """

    weeks: tuple[tuple[str, tuple[bool, ...], dt.date, dt.date], ...]
    added: Mapping[dt.date, set[str]]
    removed: Mapping[dt.date, set[str]]

    def services(self, date: dt.date) -> set[str]:
        """Return the services that run on a date."""
        weekday = date.weekday()
        regular = {s for s, days, first, last in self.weeks if first <= date <= last
                   and days[weekday]}  # fmt: skip
        return (regular | self.added.get(date, set())) - self.removed.get(date, set())

    def known(self) -> set[str]:
        """Return every service that is spoken of."""
        parts = [*self.added.values(), *self.removed.values()]
        return {week[0] for week in self.weeks}.union(*parts)

    def dates(self) -> list[dt.date]:
        """Return the dates with service, in order."""
        spans = {(days, first, last) for _, days, first, last in self.weeks}
        every = set(self.added)
        for days, first, last in spans:
            for k in range(min((last - first).days + 1, _LONGEST)):
                date = first + dt.timedelta(k)
                if days[date.weekday()]:
                    every.add(date)
        return sorted(date for date in every if self.services(date))


def read_calendar(feed: Feed) -> Calendar:
    """Read ``calendar.txt`` and ``calendar_dates.txt``; rows that cannot be read are findings."""
    weeks, wrong = [], []
    table = feed.tables["calendar.txt"]
    columns = (table[c] for c in ("service_id", *_WEEK, "start_date", "end_date"))
    for service, *days, first, last in zip(*columns, strict=True):
        span = read_date(str(first)), read_date(str(last))
        if not set(days) <= {"0", "1"} or span[0] is None or span[1] is None:
            wrong.append(service)
            continue
        weeks.append((str(service), tuple(day == "1" for day in days), span[0], span[1]))
    feed.findings.add(
        "calendar.txt", "rows with a date or a day that cannot be read", wrong, "left out"
    )
    backwards = [service for service, _, first, last in weeks if last < first]
    feed.findings.add("calendar.txt", "services that end before they begin", backwards, "never run")
    changes: dict[str, dict[dt.date, set[str]]] = {"1": {}, "2": {}}
    wrong = []
    table = feed.tables["calendar_dates.txt"]
    for service, text, kind in zip(
        table["service_id"], table["date"], table["exception_type"], strict=True
    ):
        date = read_date(str(text))
        if date is None or kind not in changes:
            wrong.append(service)
        else:
            changes[str(kind)].setdefault(date, set()).add(str(service))
    feed.findings.add(
        "calendar_dates.txt", "rows with a date or kind that cannot be read", wrong, "left out"
    )
    both = [f"{s} {d}" for d, names in changes["1"].items()
            for s in sorted(names & changes["2"].get(d, set()))]  # fmt: skip
    feed.findings.add("calendar_dates.txt", "services added and removed", both, "removed")
    return Calendar(tuple(weeks), changes["1"], changes["2"])


def best_date(feed: Feed, calendar: Calendar) -> dt.date:
    """Return the date with the most trips; among equals Tuesday to Thursday first, then the first.

    Raises
    ------
    InputError
        No date has service.
    """
    trips = feed.tables["trips.txt"]["service_id"].value_counts().to_dict()
    dates = calendar.dates()
    if not dates:
        raise InputError.of(feed.where("calendar.txt"), "no date with service", "at least one")
    counted = {d: sum(trips.get(s, 0) for s in calendar.services(d)) for d in dates}
    return max(dates, key=lambda d: (counted[d], d.weekday() in (1, 2, 3), -d.toordinal()))
