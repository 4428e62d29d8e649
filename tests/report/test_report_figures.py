from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cczsim.report.figures import (
    DASH,
    MINUS,
    count,
    difference,
    number,
    percent,
    scientific,
    signed,
    unit_name,
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (12345.6, "12,346"),
        (6.1, "6.10"),
        (0.01234, "0.0123"),
        (0.0, "0"),
        (-3.25, f"{MINUS}3.25"),
        (99.96, "100.0"),
        (math.nan, DASH),
        (math.inf, DASH),
        (1.2e-9, f"1.20e{MINUS}09"),
    ],
)
def test_numbers(value: float, shown: str) -> None:
    assert number(value) == shown


@given(st.floats(-1e12, 1e12).filter(lambda v: abs(v) > 1e-3))
@settings(max_examples=100, deadline=None)
def test_a_number_reads_back_to_three_digits(value: float) -> None:
    back = float(number(value).replace(",", "").replace(MINUS, "-"))
    assert abs(back - value) <= 5.001e-3 * abs(value)


@pytest.mark.parametrize(
    ("a", "b", "shown"),
    [
        (6.1, 7.0, "+0.90"),
        (7.0, 6.1, f"{MINUS}0.90"),
        (123_456.0, 123_460.0, "+4"),
        (123_456.0, 123_456.1, "±0"),
        (5.0, 5.0, "±0"),
        (0.0, 0.0, "±0"),
        (0.0, 12.0, "+12.0"),
        (math.nan, 5.0, DASH),
    ],
)
def test_differences_have_the_places_of_their_terms(a: float, b: float, shown: str) -> None:
    assert difference(a, b, b - a) == shown


def test_small_forms() -> None:
    assert signed(2.0) == "+2.00"
    assert signed(-2.0) == f"{MINUS}2.00"
    assert (count(1234.0), count(12.345)) == ("1,234", "12.3")
    assert percent(0.1234) == "12.3 %"
    assert percent(math.nan) == DASH
    assert scientific(1e-4) == f"1.0e{MINUS}04"
    assert scientific(math.nan) == DASH
    assert unit_name("km/km2") == "km/km²"
    assert unit_name("t/h") == "t/h"
