"""Quantities with units: parsed at the door, SI inside.

Inside, lengths are metres, times seconds, speeds m/s, flows per hour, densities km/km²
(the one derived unit kept because the field speaks it), money CNY. ``parse("50 km/h", "speed")``
returns ``13.88…``.
"""

from __future__ import annotations

import math
import re
from difflib import get_close_matches
from typing import Final

from cczsim.errors import UnitError

UNITS: Final[dict[str, dict[str, float]]] = {
    "length": {"m": 1.0, "km": 1e3, "cm": 1e-2, "mi": 1609.344, "mile": 1609.344, "ft": 0.3048},
    "area": {"m2": 1.0, "km2": 1e6, "ha": 1e4},
    "time": {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0},
    "speed": {"m/s": 1.0, "km/h": 1 / 3.6, "kmh": 1 / 3.6, "kph": 1 / 3.6, "mph": 0.44704,
              "knots": 1852 / 3600},
    "flow": {"pce/h": 1.0, "pcu/h": 1.0, "veh/h": 1.0, "trips/h": 1.0, "1/h": 1.0},
    "density": {"km/km2": 1.0},
    "share": {"": 1.0, "%": 0.01, "‰": 0.001},
    "money": {"CNY": 1.0, "yuan": 1.0, "元": 1.0},
    "value_of_time": {"CNY/h": 1.0, "yuan/h": 1.0, "元/h": 1.0},
    "money_per_length": {"CNY/km": 1e-3, "CNY/m": 1.0, "元/km": 1e-3},
    "count": {"": 1.0},
}  # fmt: skip

SI_NAME: Final[dict[str, str]] = {
    "length": "m", "area": "m2", "time": "s", "speed": "m/s", "flow": "pce/h",
    "density": "km/km2", "share": "", "money": "CNY", "value_of_time": "CNY/h",
    "money_per_length": "CNY/m", "count": "",
}  # fmt: skip

_QUANTITY: Final = re.compile(
    r"^\s*([+-]?(?:\d+(?:[ _]\d{3})*|\d*)(?:\.\d*)?(?:[eE][+-]?\d+)?)\s*(.*?)\s*$"
)


def parse(text: str | int | float, dimension: str, where: str = "") -> float:
    """Read a quantity and return it in SI.

    Parameters
    ----------
    text : str, int or float
        A number followed by its unit. A bare number is read only where the dimension
        has a unitless form (shares and counts).
    dimension : str
        One of the keys of :data:`UNITS`.
    where : str, optional
        File and key, for the error message.

    Returns
    -------
    float
        The value in the unit of :data:`SI_NAME`.

    Raises
    ------
    UnitError
        The number or its unit cannot be read, or the unit is of another dimension.
    """
    units = UNITS[dimension]
    known = ", ".join(repr(unit) for unit in units if unit)
    expected = f"a number with one of the units {known}" if known else "a number"
    if isinstance(text, bool):
        raise UnitError.of(where, repr(text), expected)
    if isinstance(text, int | float):
        if "" not in units:
            raise UnitError.of(where, f"{text!r} without a unit", expected)
        if not math.isfinite(text):
            raise UnitError.of(where, repr(text), "a finite number")
        return float(text)
    match = _QUANTITY.match(text)
    if match is None or not re.match(r"\D*\d", re.split("[eE]", match[1])[0]):
        raise UnitError.of(where, repr(text), expected)
    number = float(re.sub(r"[ _]", "", match[1]))
    unit = match[2].replace("²", "2").replace("^2", "2")
    if unit not in units:
        others = [name for name, table in UNITS.items() if unit and unit in table]
        if others:
            raise UnitError.of(where, f"{text!r}, a {others[0].replace('_', ' ')}", expected)
        near = get_close_matches(unit, [u for u in units if u], 1, 0.4)
        raise UnitError.of(
            where, repr(text), expected, f"did you mean {near[0]!r}?" if near else ""
        )
    if not math.isfinite(number):
        raise UnitError.of(where, repr(text), "a finite number")
    return number * units[unit]


def show(value: float, unit: str, digits: int = 3) -> str:
    """Return an SI value as text in a unit of any dimension, rounded to significant digits.

    Raises
    ------
    UnitError
        No dimension knows the unit.
    """
    for table in UNITS.values():
        if unit in table:
            scaled = value / table[unit]
            rounded = f"{scaled:.{digits}g}"
            if "e" in rounded and abs(scaled) < 1e15:
                rounded = f"{float(rounded):,.0f}"
            return f"{rounded} {unit}".strip()
    raise UnitError.of("", repr(unit), "a unit that cczsim knows")
