"""Rules: read with their unit, kept within rounding, never by NaN."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cczsim.errors import UnitError
from cczsim.scenario.condition import read_condition


@pytest.mark.parametrize(
    ("text", "dimension", "keeps", "breaks"),
    [
        (">= 10", "count", [10, 11], [9.99]),
        ("≥ 7 km/km²", "density", [7.0, 7 - 1e-12], [6.9]),
        ("< 45 min", "time", [2699.0], [2700.0, 2701.0]),
        ("> 3", "count", [4], [3]),
        ("<= 3", "count", [3], [3.1]),
        (4, "count", [4.0], [5.0]),
        ("50 km/h", "speed", [50 / 3.6, 50 * (1 / 3.6)], [14.0]),
        ("!= 0", "count", [1], [0]),
        ("3 .. 5", "count", [3, 4, 5], [2.9, 5.1]),
        ("10 % .. 20 %", "share", [0.1, 0.15, 0.2], [0.21]),
    ],
)
def test_a_rule_keeps_and_breaks(
    text: str | int, dimension: str, keeps: list[float], breaks: list[float]
) -> None:
    rule = read_condition(text, dimension)
    assert [rule.holds(v) for v in keeps] == [True] * len(keeps)
    assert [rule.holds(v) for v in breaks] == [False] * len(breaks)
    assert not rule.holds(math.nan)


@pytest.mark.parametrize("text", [">= ", "about 10", ">= 10 km", "5 .. 3", True, "=> 3"])
def test_what_is_no_rule_is_refused(text: object) -> None:
    with pytest.raises(UnitError):
        read_condition(text, "count", "here")  # type: ignore[arg-type]


@settings(deadline=None, max_examples=60)
@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_each_rule_and_its_opposite_divide_all_numbers(bound: float, number: float) -> None:
    def holds(op: str) -> bool:
        return read_condition(f"{op} {bound:.6f}", "count").holds(number)

    assert holds(">=") != holds("<")
    assert holds("<=") != holds(">")
    assert holds("==") != holds("!=")
