"""The line of every key, whatever TOML allows."""

from __future__ import annotations

import tomllib
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from cczsim.io.scenario_docs import toml_key, toml_value
from cczsim.io.toml_lines import key_lines

TEXT = '''# comment with = and [brackets]
a = 1
"b c" = """x
[[y]] "quoted" = 2 \\""""""
lit = \'\'\'
k = 3\'\'\'
[demand]  # header
g = { central = "12 %", circle = "3 # %" } # e
x.y."z.z" = [1,
  2, # hi ]
  {q = 'a#}'},
]
[[changes]]
kind = "links"
[changes.expect]
k = ">= 3"
[[changes]]
[[changes.add]]
line = "1"
[[changes.add]]
line = "2"
'''


def test_lines_of_every_kind_of_key() -> None:
    tomllib.loads(TEXT)
    lines = key_lines(TEXT)
    assert {path: lines[path] for path in lines if path} == {
        ("a",): 2,
        ("b c",): 3,
        ("lit",): 5,
        ("demand",): 7,
        ("demand", "g"): 8,
        ("demand", "g", "central"): 8,
        ("demand", "g", "circle"): 8,
        ("demand", "x"): 9,
        ("demand", "x", "y"): 9,
        ("demand", "x", "y", "z.z"): 9,
        ("demand", "x", "y", "z.z", 0): 9,
        ("demand", "x", "y", "z.z", 1): 10,
        ("demand", "x", "y", "z.z", 2): 11,
        ("demand", "x", "y", "z.z", 2, "q"): 11,
        ("changes",): 13,
        ("changes", 0): 13,
        ("changes", 0, "kind"): 14,
        ("changes", 0, "expect"): 15,
        ("changes", 0, "expect", "k"): 16,
        ("changes", 1): 17,
        ("changes", 1, "add"): 18,
        ("changes", 1, "add", 0): 18,
        ("changes", 1, "add", 0, "line"): 19,
        ("changes", 1, "add", 1): 20,
        ("changes", 1, "add", 1, "line"): 21,
    }


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    out = {path}
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for name, child in items:
        out |= _paths(child, (*path, name))
    return out


_CHARACTERS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_VALUES = st.recursive(
    st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | _CHARACTERS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_CHARACTERS, inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=80)
@given(st.dictionaries(_CHARACTERS, _VALUES, max_size=5))
@example({"0\n": 1})
def test_what_is_written_is_read_back_and_every_key_has_a_line(values: dict[str, Any]) -> None:
    text = "".join(f"{toml_key(k)} = {toml_value(v)}\n" for k, v in values.items())
    assert tomllib.loads(text) == values
    lines = key_lines(text)
    assert set(lines) == _paths(values)
    for row, name in enumerate(values, start=1):
        assert lines[name,] == row
