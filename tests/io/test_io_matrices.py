"""Trip matrices: three formats, one matrix; every cell at fault is named."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from cczsim.columns import Array
from cczsim.errors import InputError
from cczsim.io.matrices import read_matrix, write_matrix

ZONES = np.array([1, 2, 3])
MATRIX = np.array([[0.1 + 0.2, 0, 1e-9], [5, 0, 1e7 / 3], [0, 0, 2]])


def write(tmp_path: Path, text: str, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def omx(tmp_path: Path, matrices: dict[str, Array], lookup: dict[str, Array] | None = None) -> Path:
    path = tmp_path / "t.omx"
    with h5py.File(path, "w") as file:
        file.attrs["OMX_VERSION"] = np.bytes_("0.2")
        group = file.create_group("data")
        for name, matrix in matrices.items():
            group.create_dataset(name, data=matrix)
        if lookup is not None:
            group = file.create_group("lookup")
            for name, values in lookup.items():
                group.create_dataset(name, data=values)
    return path


def faults(path: Path, zones: Array = ZONES, name: str | None = None) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_matrix(path, zones, name)
    assert all(str(path) in fault.where for fault in caught.value.faults)
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize("kind", ["omx", "csv", "tntp", "OMX", "CSV"])
def test_written_and_read_back(kind: str, tmp_path: Path) -> None:
    path = tmp_path / f"t.{kind}"
    write_matrix(MATRIX, ZONES, path)
    np.testing.assert_array_equal(read_matrix(path, ZONES), MATRIX)


@pytest.mark.parametrize("kind", ["omx", "csv"])
def test_zones_keep_their_numbers_in_any_order(kind: str, tmp_path: Path) -> None:
    zones = np.array([430102, 7, 43])
    path = tmp_path / f"t.{kind}"
    write_matrix(MATRIX, zones, path)
    np.testing.assert_array_equal(read_matrix(path, zones), MATRIX)
    turned = read_matrix(path, zones[::-1])
    np.testing.assert_array_equal(turned, MATRIX[::-1, ::-1])


@pytest.mark.parametrize("name", ["t.csv", "t.omx"])
def test_ids_of_h3_cells_are_not_rounded(name: str, tmp_path: Path) -> None:
    """They have 18 digits, two more than a float tells apart."""
    cells = np.array([615462706383683583, 615462706383683584, 615462708222885887])
    path = tmp_path / name
    write_matrix(MATRIX, cells, path)
    np.testing.assert_array_equal(read_matrix(path, cells[::-1]), MATRIX[::-1, ::-1])
    wide = [",".join(["", *map(str, cells)])]
    wide += [",".join([str(cell), "1", "2", "3"]) for cell in cells]
    path = write(tmp_path, "\n".join(wide) + "\n")
    np.testing.assert_array_equal(read_matrix(path, cells), [[1.0, 2.0, 3.0]] * 3)


def test_the_same_matrix_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.omx", "b.omx"):
        write_matrix(MATRIX, ZONES, tmp_path / name)
    assert (tmp_path / "a.omx").read_bytes() == (tmp_path / "b.omx").read_bytes()


def test_wide_csv(tmp_path: Path) -> None:
    path = write(tmp_path, "zone,2,1,3\n1,0,0.5,1\n3,7,8,9\n\n2,4,5,6\n")
    np.testing.assert_array_equal(read_matrix(path, ZONES), [[0.5, 0, 1], [5, 4, 6], [8, 7, 9]])


def test_long_csv_under_other_names_adds_cells_up(tmp_path: Path) -> None:
    path = write(tmp_path, "o_zone_id,d_zone_id,note,volume\n1,2,x,3\n1,2,y,0.5\n\n3,1,z,1\n")
    np.testing.assert_array_equal(read_matrix(path, ZONES), [[0, 3.5, 0], [0, 0, 0], [1, 0, 0]])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["an empty file"]),
        ("origin,destination,trips\n", ["no trips; expected at least one cell above 0"]),
        ("origin,destination,trips\n1,2,0\n", ["no trips"]),
        ("origin,destination\n1,2\n", ["also trips"]),
        ("origin,destination,trips\n1,2,nan\n", [":2: found trips 'nan'"]),
        ("origin,destination,trips\n1,2,\n", [":2: found trips ''"]),
        ("origin,destination,trips\n1,2,-4\n1,3,inf\n", [":2: found trips '-4'", ":3: "]),
        ("origin,destination,trips\n1,9,1\n", ["destination '9'; expected a zone"]),
        ("origin,destination,trips\nx,9,1\n", ["origin 'x'", "destination '9'"]),
        ("origin,destination,trips\n1,2\n", ["2 cells; expected 3"]),
        ("zone,1,2\n1,0,1\n2,1,0\n", ["2 of which 0 are no zones; expected the 3"] * 2),
        ("zone,1,2,4\n1,0,1,1\n2,1,0,1\n3,1,1,0\n", ["3 of which 1 are no zones"]),
        ("zone,1,2,2\n1,0,1,1\n2,1,0,1\n3,1,1,0\n", ["zone 2 more than once"]),
        ("zone,1,2,3\n1,0,1,1\n2,1,0,1\n2,1,1,0\n", ["zone 2 more than once"]),
        ("zone,1,2,3\n1,0,x,1\n2,1,0,1\n3,1,1\n", [":2, column 3: found 'x'", ":4: found 3 cells"]),
        ("zone,1,2,3\n1,0,nan,1\n2,-1,0,1\n3,1,1,1\n",
         ["origin 1, destination 2: found nan", "origin 2, destination 1: found -1.0"]),
        ('origin,destination,trips\n1,"2,3\n', ["2 cells"]),
    ],
)  # fmt: skip
def test_csv_at_fault(text: str, said: list[str], tmp_path: Path) -> None:
    found = faults(write(tmp_path, text))
    assert len(found) == len(said), found
    for part, message in zip(said, found, strict=True):
        assert part in message


def test_faults_are_listed_up_to_fifty(tmp_path: Path) -> None:
    found = faults(write(tmp_path, "origin,destination,trips\n" + "1,9,1\n" * 90))
    assert len(found) == 51
    assert "more faults" in found[-1]


def test_omx_by_name_and_lookup(tmp_path: Path) -> None:
    other = 2 * MATRIX
    path = omx(tmp_path, {"car": MATRIX, "truck": other}, {"taz": np.array([3, 1, 2])})
    np.testing.assert_array_equal(
        read_matrix(path, ZONES, "truck"), other[np.ix_([1, 2, 0], [1, 2, 0])]
    )
    assert "several matrices: car, truck" in faults(path)[0]
    assert "no matrix 'bus'" in faults(path, name="bus")[0]


def test_omx_without_lookup_is_in_the_order_of_the_zones(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_matrix(omx(tmp_path, {"m": MATRIX}), ZONES + 100), MATRIX)


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        (np.ones((2, 3)), "2 x 3; expected 3 x 3"),
        (np.ones((4, 4)), "4 x 4; expected 3 x 3"),
        (np.ones(9), "a matrix of 9; expected 3 x 3"),
        (np.full((3, 3), np.nan), "found nan"),
        (-np.ones((3, 3)), "found -1.0"),
        (np.zeros((3, 3)), "no trips"),
        (np.array([["a"] * 3] * 3, dtype="S1"), "expected a matrix of numbers"),
    ],
)
def test_omx_at_fault(matrix: Array, said: str, tmp_path: Path) -> None:
    assert said in faults(omx(tmp_path, {"m": matrix}))[0]


def test_omx_of_other_zones(tmp_path: Path) -> None:
    path = omx(tmp_path, {"m": MATRIX}, {"zone": np.array([1, 2, 4])})
    assert "no zones [3]" in faults(path)[0]
    path = omx(tmp_path, {"m": MATRIX}, {"zone": np.array([1, 1, 3])})
    assert "more than once" in faults(path)[0]
    path = omx(tmp_path, {"m": MATRIX}, {"a": np.array([3, 2, 1]), "b": np.array([1, 2, 3])})
    assert "several lookups" in faults(path)[0]


def test_what_is_no_omx(tmp_path: Path) -> None:
    whole = omx(tmp_path, {"m": np.random.default_rng(0).random((3, 3))}).read_bytes()
    path = tmp_path / "cut.omx"
    path.write_bytes(whole[: len(whole) // 2])
    assert "cut off" in faults(path)[0]
    path.write_bytes(b"not HDF5")
    assert "HDF5 cannot open" in faults(path)[0]
    with h5py.File(path, "w") as file:
        file["other"] = np.ones(3)
    assert "no matrix under /data" in faults(path)[0]
    with h5py.File(path, "w") as file:
        file.create_group("data/inner")
    assert "/data/inner: found a group; expected a matrix" in faults(path)[0]


def test_other_endings_and_missing_files(tmp_path: Path) -> None:
    assert "'.xlsx'; expected .omx" in faults(write(tmp_path, "x", "t.xlsx"))[0]
    assert "no such file" in faults(tmp_path / "出行 表.omx")[0]
    folder = tmp_path / "folder.csv"
    folder.mkdir()
    assert "a folder" in faults(folder)[0]
    (tmp_path / "folder.omx").mkdir()
    faults(tmp_path / "folder.omx")
    with pytest.raises(InputError, match=r"expected \.omx"):
        write_matrix(MATRIX, ZONES, tmp_path / "t.xlsx")
    path = tmp_path / "t.tntp"
    write_matrix(MATRIX, ZONES, path)
    assert "not 1, 2, 3" in faults(path, np.array([1, 2, 4]))[0]


@pytest.mark.data
def test_surrogate_trips_of_the_region(data_dir: Path) -> None:
    path = data_dir / "tntp/chicago-regional/ChicagoRegional_surrogate_trips.omx"
    matrix = read_matrix(path, np.arange(1790) + 1)
    assert np.count_nonzero(matrix) == 2_377_541
    assert matrix.sum() == pytest.approx(1_315_342, abs=1)
