"""Quantities in, SI out."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cczsim.errors import UnitError
from cczsim.units import SI_NAME, UNITS, parse, show


@pytest.mark.parametrize(
    ("text", "dimension", "value"),
    [
        ("50 km/h", "speed", 50 / 3.6),
        ("30mph", "speed", 30 * 0.44704),
        ("7 km/km²", "density", 7.0),
        ("7 km/km2", "density", 7.0),
        ("12 %", "share", 0.12),
        (0.3, "share", 0.3),
        ("6 min", "time", 360.0),
        ("1 200 m", "length", 1200.0),
        ("1.2e9 CNY", "money", 1.2e9),
        ("-3 m", "length", -3.0),
        (4, "count", 4.0),
    ],
)
def test_parse_gives_si(text: str | float, dimension: str, value: float) -> None:
    assert parse(text, dimension) == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "dimension", "said"),
    [
        ("50 km", "speed", "a length"),
        (50, "speed", "without a unit"),
        ("fast", "speed", "'fast'"),
        ("5 kmhh", "speed", "did you mean"),
        (math.nan, "share", "finite"),
        (True, "count", "True"),
        ("", "time", "''"),
        ("1e999 s", "time", "finite"),
        ("- m", "length", "'- m'"),
    ],
)
def test_parse_says_what_is_wrong(text: str | float, dimension: str, said: str) -> None:
    with pytest.raises(UnitError) as caught:
        parse(text, dimension, "base.toml:3: key")
    (fault,) = caught.value.faults
    assert said in str(fault)
    assert str(fault).startswith("base.toml:3: key: found ")


@example("E0", "area")
@given(st.text(max_size=12), st.sampled_from(sorted(UNITS)))
def test_parse_never_raises_anything_else(text: str, dimension: str) -> None:
    try:
        value = parse(text, dimension)
    except UnitError:
        return
    assert math.isfinite(value)


@given(
    st.floats(-1e6, 1e6, allow_nan=False),
    st.sampled_from([(d, u) for d, table in UNITS.items() for u in table if u]),
)
def test_parse_reads_what_it_would_print(value: float, pair: tuple[str, str]) -> None:
    dimension, unit = pair
    assert parse(f"{value!r} {unit}", dimension) == pytest.approx(value * UNITS[dimension][unit])


def test_every_dimension_has_an_si_name_worth_one() -> None:
    assert {d: UNITS[d][name] for d, name in SI_NAME.items()} == dict.fromkeys(UNITS, 1.0)


def test_show_rounds_and_names_the_unit() -> None:
    assert show(13.8888, "km/h") == "50 km/h"
    assert show(1.2e9, "CNY") == "1,200,000,000 CNY"
    with pytest.raises(UnitError):
        show(1.0, "furlong")
