"""Columns are cast, checked and frozen at construction, with all faults at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cczsim.columns import Array, Columns, column
from cczsim.errors import ColumnError


@dataclass(frozen=True, eq=False)
class Poles(Columns):
    height: Array = column("pole", "float64", "m", "height", low=0.0)
    wires_first: Array = column("pole+1", "int32", "", "offset of the first wire")
    next_pole: Array = column("pole", "int32", "", "next pole", low=-1, index_of="pole")
    label: Array = column("pole", "text", "", "label", default="")
    rust: Array = column(
        "pole", "float64", "", "share of rust", high=1.0, nan_allowed=True, default=np.nan
    )
    weight: Array | None = column("pole", "float64", "kg", "weight", default=None)


def test_cast_fill_and_freeze() -> None:
    height = np.array([2, 3])
    poles = Poles(height=height, wires_first=[0, 1, 4], next_pole=[1, -1])
    assert poles.height.dtype == np.float64
    assert poles.label.tolist() == ["", ""]
    assert np.isnan(poles.rust).all()
    assert poles.weight is None
    with pytest.raises(ValueError, match="read-only"):
        poles.height[0] = 1.0
    height[0] = 9
    assert poles.height[0] == 2.0


def test_a_given_array_is_not_frozen_behind_its_owners_back() -> None:
    mine = np.array([2.0, 3.0])
    Poles(height=mine, wires_first=[0, 1, 4], next_pole=[1, -1])
    mine[0] = 5.0


def test_all_faults_at_once() -> None:
    with pytest.raises(ColumnError) as caught:
        Poles(height=[1.0, -2.0], wires_first=[0, 3, 1], next_pole=[2, -2], rust=[0.5, np.inf])
    said = [str(fault) for fault in caught.value.faults]
    assert [text.split(":")[0] for text in said] == [
        "Poles.height",
        "Poles.wires_first",
        "Poles.next_pole",
        "Poles.next_pole",
        "Poles.rust",
        "Poles.rust",
    ]
    assert "row 1: -2.0" in said[0]
    assert "an index below the 2 rows of [pole]" in said[3]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"height": [1.0]}, "values; expected"),
        ({"height": [[1.0, 2.0]]}, "one axis"),
        ({"height": ["a", "b"]}, "float64 values"),
        ({"next_pole": [0.5, 0]}, "whole numbers"),
        ({"next_pole": [2**40, 0]}, "range of int32"),
        ({"height": [np.nan, 1.0]}, "a finite number"),
        ({"wires_first": []}, "at least one offset"),
    ],
)
def test_each_fault_names_class_column_and_rule(change: dict[str, object], said: str) -> None:
    good = {"height": [2.0, 3.0], "wires_first": [0, 1, 4], "next_pole": [1, -1]}
    with pytest.raises(ColumnError, match=said):
        Poles(**{**good, **change})


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=6))
def test_what_gets_in_keeps_the_rules(heights: list[float]) -> None:
    offsets = np.zeros(len(heights) + 1)
    try:
        poles = Poles(height=heights, wires_first=offsets, next_pole=np.full(len(heights), -1))
    except ColumnError:
        assert any(not np.isfinite(h) or h < 0 for h in heights)
    else:
        assert poles.height.tolist() == heights
        assert poles.size("pole") == len(heights)
