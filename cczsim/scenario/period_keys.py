"""Keys of the periods of a day."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from cczsim.columns import Array
from cczsim.demand.park_ride import WAYS
from cczsim.errors import Fault
from cczsim.scenario.keys import REQUIRED, key

DAY: Final = "day"
_MINUTES: Final = 24 * 60
_CLOCK: Final = re.compile(r"(\d{1,2}):([0-5]\d)")
_SUMS_TO: Final = 1e-3


@dataclass(frozen=True, kw_only=True)
class PeriodKeys:
    """A part of the day, of which one mean hour is modelled."""

    from_: str = key("text", 'when it begins, such as "07:00"', default=REQUIRED)
    to: str = key("text", 'when it ends, such as "09:00"; "24:00" is midnight', default=REQUIRED)
    trips: float = key(
        "quantity", "share of a weekday's trips that begin in it; those of all periods are 100 %",
        dimension="share", default=REQUIRED, above=0.0, high=1.0,
    )  # fmt: skip
    return_share: float = key(
        "quantity", "share of its trips that go back, from what draws people to where they live",
        dimension="share", default="0 %", low=0.0, high=1.0, source="as in the modelled hour",
    )  # fmt: skip
    headway_factor: float = key(
        "number", "what headways of lines are multiplied with", default=1.0, above=0.0,
        source="as in the modelled hour",
    )  # fmt: skip
    park_and_ride: str | None = key(
        "choice", "which way people park and ride, where it is not that of park_and_ride.way",
        choices=WAYS,
    )  # fmt: skip

    def faults(self) -> Iterator[tuple[str, str, str, str]]:
        """Yield times that cannot be read."""
        for name, text in (("from", self.from_), ("to", self.to)):
            if _minute(text) is None:
                yield name, repr(text), 'a time such as "07:30", up to "24:00"', ""
        if _minute(self.from_) is not None and _minute(self.from_) == _minute(self.to):
            yield "to", repr(self.to), "another time than it begins at", ""

    @property
    def begin(self) -> int:
        """Minute of the day that it begins at."""
        return _minute(self.from_) or 0

    @property
    def minutes(self) -> Array:
        """Whether each minute of the day is in it, over midnight where it ends before it begins."""
        begin, end = _minute(self.from_) or 0, _minute(self.to) or 0
        clock = np.arange(_MINUTES)
        if begin < end:
            return np.asarray((clock >= begin) & (clock < end))
        return np.asarray((clock >= begin) | (clock < end))

    @property
    def hours(self) -> float:
        """How long it is, h."""
        return float(self.minutes.sum()) / 60.0


def _minute(text: str) -> int | None:
    match = _CLOCK.fullmatch(text.strip())
    if match is None:
        return None
    minute = 60 * int(match[1]) + int(match[2])
    return minute if minute <= _MINUTES else None


def period_faults(periods: Mapping[str, PeriodKeys], origins: Mapping[str, str]) -> list[Fault]:
    """Return what is wrong with periods together: two at one time, or not all of a day's trips."""

    def where(path: str) -> str:
        return f"{origins.get(path, '')}: {path}".removeprefix(": ")

    out, taken = [], np.full(_MINUTES, -1)
    names = list(periods)
    for number, (name, period) in enumerate(periods.items()):
        if name == DAY:
            out.append(
                Fault(where(f"periods.{name}.from"), repr(name), "another name", "it is the sum's")
            )
        both = taken[period.minutes]
        out += [
            Fault(
                where(f"periods.{name}.from"),
                f"{int((both == other).sum())} minutes that are in {names[other]!r} too",
                "periods that do not overlap",
            )
            for other in np.unique(both[both >= 0])
        ]
        taken[period.minutes] = number
    total = sum(period.trips for period in periods.values())
    if periods and abs(total - 1.0) > _SUMS_TO:
        out.append(
            Fault(
                where(f"periods.{names[-1]}.trips"), f"{100 * total:g} % of a day's trips together",
                "100 %", "hours in which nobody is modelled may be left out, but not their trips",
            )
        )  # fmt: skip
    return out
