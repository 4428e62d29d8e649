"""Files of bushes: read back as they were; whatever a kernel must not see is refused."""

from __future__ import annotations

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from cczsim.assignment.bush_solution import BushStart, Rows
from cczsim.errors import InputError
from cczsim.io.bush_file import read_bushes, write_bushes

ROWS = Rows(
    size=np.array([3, 2], dtype=np.int32),
    first=np.array([[0, 0, 1, 3], [0, 0, 1, 1]], dtype=np.int32),
    arc=np.array([[0, 2, 1], [1, 0, 0]], dtype=np.int32),
    tail=np.array([[0, 1, 0], [0, 0, 0]], dtype=np.int32),
    flow=np.array([[5.0, 2.5, 1.0], [3.0, 0.0, 0.0]]),
    at=np.full((2, 2), -1, dtype=np.int32),
)
START = BushStart(np.array([1, 2, 2]), np.array([2, 1, 3]), np.array([1, 2]), 1, ROWS)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write_bushes(START, tmp_path / "b.npz")
    return tmp_path / "b.npz"


def test_bushes_come_back(file: Path) -> None:
    for source in (file, io.BytesIO(file.read_bytes())):
        found = read_bushes(source)
        np.testing.assert_array_equal(found.rows.size, ROWS.size)
        for bush, size in enumerate(ROWS.size):
            used = ROWS.first[bush, size]
            assert found.rows.first[bush, size] == used
            for name in ("arc", "tail", "flow"):
                np.testing.assert_array_equal(
                    getattr(found.rows, name)[bush, :used], getattr(ROWS, name)[bush, :used]
                )


class Malice:
    def __reduce__(self):
        return Path.touch, (Path("/tmp/cczsim-was-here"),)


def changed(file: Path, **arrays: object) -> Path:
    with np.load(file) as held:
        whole = {name: held[name] for name in held.files}
    np.savez_compressed(file, **{**whole, **arrays})
    return file


def test_no_code_in_a_file_is_run(file: Path) -> None:
    for content in (np.array([Malice()], dtype=object), pickle.dumps(Malice())):
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            changed(file, flow=content)
        with pytest.raises(InputError, match="bushes that cczsim saved"):
            read_bushes(file)
        assert not Path("/tmp/cczsim-was-here").exists()


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"format": 2}, "format 2, where this cczsim reads 1"),
        ({"arc": np.array([0, 2, 3, 1])}, "do not agree"),
        ({"arc": np.array([0, 2, -1, 1])}, "do not agree"),
        ({"tail": np.array([1, 1, 0, 0])}, "do not agree"),
        ({"flow": np.array([5.0, np.nan, 1.0, 3.0])}, "do not agree"),
        ({"flow": np.array([5.0, -2.5, 1.0, 3.0])}, "do not agree"),
        ({"size": np.array([2**31 - 1, 2])}, "do not agree"),
        ({"size": np.array([[3, 2]])}, "another shape"),
        ({"n_classes": np.array([1, 1])}, "another shape"),
        ({"n_classes": -1}, "do not agree"),
        ({"zone_id": np.array([1, 1])}, "do not agree"),
        ({"into": np.array([2**31 - 1, 1, 2, 0, 1])}, "do not agree"),
    ],
)
def test_what_kernels_must_not_see_is_refused(
    file: Path, arrays: dict[str, object], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        read_bushes(changed(file, **arrays))


def test_a_file_that_swells_is_refused(file: Path) -> None:
    changed(file, flow=np.zeros(2**24))
    assert file.stat().st_size < 2**20
    with pytest.raises(InputError, match="swell"):
        read_bushes(file)


def test_rows_that_would_fill_memory_are_refused(file: Path) -> None:
    zones, arcs = 20_000, 200_000
    size = np.zeros(zones, dtype=np.int32)
    size[0] = 2
    changed(
        file, zone_id=np.arange(zones), size=size, into=np.array([0, arcs]),
        arc=np.zeros(arcs, dtype=np.int32), tail=np.zeros(arcs, dtype=np.int32),
        flow=np.zeros(arcs),
    )  # fmt: skip
    with pytest.raises(InputError, match="would take"):
        read_bushes(file)


def test_damage_in_the_archive_is_told(file: Path) -> None:
    whole = file.read_bytes()
    for cut in (0, 10, len(whole) // 2, len(whole) - 3):
        file.write_bytes(whole[:cut])
        with pytest.raises(InputError):
            read_bushes(file)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("format.npy", b"\x93NUMPY\x01\x00\x10\x00{'descr': [[[[[")
    with pytest.raises(InputError):
        read_bushes(file)
