from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cczsim.errors import InputError
from cczsim.io.class_tables import read_class_table, write_class_table
from cczsim.network.road_class import ROAD_CLASSES
from cczsim.osm.class_table import CN_CJJ37, TABLES, ClassTable


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES.keys())
def test_round_trip(tmp_path: Path, table: ClassTable) -> None:
    path = tmp_path / "mine.csv"
    write_class_table(table, path)
    back = read_class_table(path)
    assert back.name == "mine"
    assert back.source == table.source
    for name in table.specs():
        if name != "class_name":
            np.testing.assert_allclose(getattr(back, name), getattr(table, name), rtol=1e-9)


def test_built_in_tables_say_what_they_are() -> None:
    assert "memory" in CN_CJJ37.source
    assert "assumptions" in CN_CJJ37.source
    for table in TABLES.values():
        assert [str(name) for name in table.class_name] == list(ROAD_CLASSES)


def test_rows_in_any_order(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    write_class_table(CN_CJJ37, path)
    head, *rows = path.read_text(encoding="utf-8").splitlines()[1:]
    path.write_text("\n".join([head, *reversed(rows)]), encoding="utf-8")
    table = read_class_table(path).in_class_order()
    np.testing.assert_allclose(table.lanes, CN_CJJ37.lanes)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("primary,3,60,", "primary,3,fast,", "speed_kmh"),
        ("primary,3,60,", "primary,-3,60,", "lanes"),
        ("primary,3,60,1400,0.5,", "primary,3,60,1400,1.5,", "at most 1"),
        ("primary,3,60,", "prim,3,60,", "class 'prim'"),
        ("primary,3,60,", "primary,60,", "6 cells"),
        ("class,lanes", "klass,lanes", "header"),
        ("primary,3,60,1400,0.5,0.15,4\n", "", "missing ['primary']"),
    ],
)
def test_faults_name_the_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "mine.csv"
    write_class_table(CN_CJJ37, path)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_class_table(path)
    assert said in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv"):
        read_class_table(tmp_path / "none.csv")
