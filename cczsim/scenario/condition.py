"""Preconditions and targets: ``>= 7 km/km2``, ``4``, ``3 .. 5``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from cczsim.errors import UnitError
from cczsim.units import parse

_RULE: Final = re.compile(r"^\s*(>=|<=|==|!=|=|>|<|≥|≤)?\s*(.*?)\s*$")
_RANGE: Final = re.compile(r"^\s*(.+?)\s*\.\.\s*(.+?)\s*$")
_SAME: Final = {"=": "==", "": "==", "≥": ">=", "≤": "<="}
_RELATIVE_NOISE: Final = 1e-9


@dataclass(frozen=True)
class Condition:
    """A rule on a number.

    Parameters
    ----------
    op : str
        ``>=``, ``<=``, ``>``, ``<``, ``==``, ``!=`` or ``..`` (both ends included).
    value, upper : float
        In SI; ``upper`` is used by ``..`` only.
    text : str
        As the user wrote it.
    """

    op: str
    value: float
    upper: float
    text: str

    def holds(self, number: float) -> bool:
        """Return whether a number keeps the rule; NaN never does.

        Equality allows for 1e-9 of rounding, so that 50 km/h read twice is the same speed.
        """
        if math.isnan(number):
            return False
        same = math.isclose(number, self.value, rel_tol=_RELATIVE_NOISE, abs_tol=1e-12)
        match self.op:
            case ">=":
                return number > self.value or same
            case "<=":
                return number < self.value or same
            case ">":
                return number > self.value and not same
            case "<":
                return number < self.value and not same
            case "!=":
                return not same
            case "..":
                below = number < self.value and not same
                top = math.isclose(number, self.upper, rel_tol=_RELATIVE_NOISE, abs_tol=1e-12)
                return not below and (number < self.upper or top)
            case _:
                return same


def read_condition(text: str | int | float, dimension: str, where: str = "") -> Condition:
    """Read a rule whose numbers are of a dimension.

    Raises
    ------
    UnitError
        The rule or a number in it cannot be read.
    """
    if isinstance(text, bool):
        raise UnitError.of(where, repr(text).lower(), 'a rule such as ">= 10"')
    if isinstance(text, int | float):
        return Condition("==", parse(text, dimension, where), math.nan, str(text))
    bounds = _RANGE.match(text)
    if bounds is not None:
        low, high = parse(bounds[1], dimension, where), parse(bounds[2], dimension, where)
        if low > high:
            raise UnitError.of(where, repr(text), "a range from low to high")
        return Condition("..", low, high, text)
    match = _RULE.match(text)
    assert match is not None
    op = match[1] or ""
    return Condition(_SAME.get(op, op), parse(match[2], dimension, where), math.nan, text)
