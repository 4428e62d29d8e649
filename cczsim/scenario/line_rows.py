"""One stop of a line that a scenario adds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LineRow:
    """A stop of a line, as a table gives it; None where the table says nothing.

    Parameters
    ----------
    line : str
    seq : float
        Order within the line.
    stop_id : str
        Rows with one id are one stop, also across lines; ``""`` takes name and place.
    stop_name : str
    lon, lat : float
        WGS-84.
    mode : str, optional
    headway : float, optional
        s.
    speed : float, optional
        Commercial speed, m/s.
    capacity : float, optional
        Passengers a vehicle or train can hold.
    """

    line: str
    seq: float
    stop_id: str
    stop_name: str
    lon: float
    lat: float
    mode: str | None = None
    headway: float | None = None
    speed: float | None = None
    capacity: float | None = None
    color: str | None = None
    name: str = ""
