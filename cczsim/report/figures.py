"""How numbers are written."""

from __future__ import annotations

import math
from typing import Final

DASH: Final = "–"
NOTHING: Final = "±0"
MINUS: Final = "\u2212"
_UNITS: Final = {
    "km/km2": "km/km²",
    "m2": "m²",
    "km2": "km²",
    "ug/m3": "µg/m³",
    "pce km/h": "pce·km/h",
    "pce h/h": "pce·h/h",
    "passenger km/h": "p·km/h",
}


def number(value: float, digits: int = 3) -> str:
    """Return a number to some significant digits, with thousands apart and no exponent.

    Whole parts are never rounded away: ``12 345.6`` is ``12,346``, not ``12,300``.
    """
    if not math.isfinite(value):
        return DASH
    if value == 0.0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    places = max(0, digits - 1 - size)
    if places > 6:
        return f"{value:.{digits - 1}e}".replace("-", MINUS)
    shown = f"{abs(value):,.{places}f}"
    return MINUS + shown if value < 0 and float(shown.replace(",", "")) != 0.0 else shown


def count(value: float) -> str:
    """Return a count without places; a length or a share that is not whole keeps its digits."""
    return f"{value:,.0f}" if float(value).is_integer() else number(value)


def signed(value: float, digits: int = 3) -> str:
    """Return a difference with its sign."""
    shown = number(value, digits)
    return f"+{shown}" if math.isfinite(value) and value > 0 else shown


def difference(a: float, b: float, value: float) -> str:
    """Return a difference ``value = b - a`` to as many places as ``a`` and ``b`` are shown with."""
    if not math.isfinite(value):
        return DASH
    largest = max(abs(a), abs(b), abs(value))
    size = math.floor(math.log10(largest)) if largest > 0.0 else 0
    places = min(max(0, 2 - size), 9)
    shown = f"{abs(value):,.{places}f}"
    if not any(digit in "123456789" for digit in shown):
        return NOTHING
    return ("+" if value > 0 else MINUS) + shown


def percent(share: float, digits: int = 1) -> str:
    """Return a share as per cent."""
    return f"{100 * share:.{digits}f} %" if math.isfinite(share) else DASH


def scientific(value: float) -> str:
    """Return a gap: two significant digits and an exponent."""
    return f"{value:.1e}".replace("-", MINUS) if math.isfinite(value) else DASH


def unit_name(unit: str) -> str:
    """Return a unit as it is printed."""
    return _UNITS.get(unit, unit)
