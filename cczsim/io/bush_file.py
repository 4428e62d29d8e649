"""Bushes of an equilibrium as a file, for another scenario to start from."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import numpy as np

from cczsim.assignment.bush_solution import BushStart, Rows
from cczsim.columns import Array
from cczsim.errors import InputError, OutputError
from cczsim.io.npz_file import FREE_BYTES, UNREADABLE, open_arrays, size_of

_FORMAT = 1
_MOST_ROOM = 1000
"""How many times larger than its file bushes may be: rows are as long as the longest."""
_ARRAYS = {
    "format": np.int64, "n_classes": np.int64, "tail_id": np.int64, "head_id": np.int64,
    "zone_id": np.int64, "size": np.int32, "into": np.int32, "arc": np.int32, "tail": np.int32,
    "flow": np.float64,
}  # fmt: skip


def write_bushes(start: BushStart, path: Path) -> None:
    """Write bushes as an ``.npz`` file, without what is empty in their rows.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    rows = start.rows
    n_arcs = rows.first[np.arange(len(rows.size)), rows.size]
    in_use = np.arange(rows.arc.shape[1]) < n_arcs[:, None]
    positions = np.arange(rows.first.shape[1] - 1) < rows.size[:, None]
    try:
        with path.open("wb") as file:
            np.savez_compressed(
                file, format=_FORMAT, n_classes=start.n_classes, tail_id=start.tail_id,
                head_id=start.head_id, zone_id=start.zone_id, size=rows.size,
                into=np.diff(rows.first, axis=1)[positions].astype(np.int32),
                arc=rows.arc[in_use], tail=rows.tail[in_use], flow=rows.flow[in_use],
            )  # fmt: skip
    except OSError as error:
        raise OutputError.of(
            str(path), error.strerror or str(error), "a file that can be written"
        ) from None


def read_bushes(path: Path | BinaryIO) -> BushStart:
    """Read bushes, from a file or an open stream of its bytes.

    Raises
    ------
    InputError
        No file, not a file of bushes, or one that does not agree with itself.
    """
    try:
        with open_arrays(path) as file:
            held = {name: np.asarray(file[name], dtype) for name, dtype in _ARRAYS.items()}
    except UNREADABLE as error:
        raise InputError.of(
            str(path), str(error) or type(error).__name__, "bushes that cczsim saved"
        ) from None
    fault = _fault(held, size_of(path))
    if fault:
        raise InputError.of(str(path), fault, "bushes that cczsim saved", "save them again")
    return BushStart(
        held["tail_id"], held["head_id"], held["zone_id"], int(held["n_classes"]),
        _padded(held["size"], held["into"], held),
    )  # fmt: skip


def _fault(held: dict[str, Array], file_size: int) -> str:
    """Return what is wrong with the arrays of a file; kernels trust what passes."""
    scalars = ("format", "n_classes")
    if any(held[name].ndim != (0 if name in scalars else 1) for name in _ARRAYS):
        return "arrays of another shape"
    if int(held["format"]) != _FORMAT:
        return f"format {int(held['format'])}, where this cczsim reads {_FORMAT}"
    size, into, zone_id = held["size"], held["into"], held["zone_id"]
    n_classes, n_links, n_zones = int(held["n_classes"]), len(held["tail_id"]), len(zone_id)
    fits = (
        n_classes >= 1
        and len(held["head_id"]) == n_links
        and len(np.unique(zone_id)) == n_zones
        and (size >= 0).all()
        and len(size) == n_classes * n_zones
        and len(into) == size.sum(dtype=np.int64)
        and (into >= 0).all()
        and into.sum(dtype=np.int64)
        == len(held["arc"]) == len(held["tail"]) == len(held["flow"])
        and ((held["arc"] >= 0) & (held["arc"] < max(n_classes * n_links, 1))).all()
        and bool(np.isfinite(held["flow"]).all() and (held["flow"] >= 0.0).all())
        and _before(size, into, held["tail"])
    )  # fmt: skip
    if not fits:
        return "arrays that do not agree"
    bush = np.repeat(np.arange(len(size)), size)
    most_arcs = int(np.bincount(bush, into, len(size)).max(initial=0))
    row = 16 * most_arcs + 8 * int(size.max(initial=0)) + 4 * n_zones
    if len(size) * row > FREE_BYTES + _MOST_ROOM * file_size:
        return f"{file_size} bytes that would take {len(size) * row}"
    return ""


def _before(size: Array, into: Array, tail: Array) -> bool:
    """Return whether every arc begins before the position where it ends."""
    position = np.concatenate([np.arange(n) for n in size]) if len(size) else np.zeros(0, int)
    return bool(((tail >= 0) & (tail < np.repeat(position, into))).all())


def _padded(size: Array, into: Array, held: dict[str, Array]) -> Rows:
    n_bushes = len(size)
    bush_of_position = np.repeat(np.arange(n_bushes), size)
    n_arcs = np.bincount(bush_of_position, into, n_bushes).astype(np.int64)
    first = np.zeros((n_bushes, int(size.max(initial=0)) + 2), dtype=np.int32)
    filled = np.arange(first.shape[1] - 1) < size[:, None]
    counts = np.zeros((n_bushes, first.shape[1] - 1), dtype=np.int32)
    counts[filled] = into
    first[:, 1:] = np.cumsum(counts, axis=1)
    in_use = np.arange(max(int(n_arcs.max(initial=0)), 1)) < n_arcs[:, None]

    def rows(name: str) -> Array:
        array = np.zeros(in_use.shape, dtype=held[name].dtype)
        array[in_use] = held[name]
        return array

    n_zones = len(held["zone_id"])
    return Rows(
        size, first, rows("arc"), rows("tail"), rows("flow"),
        np.full((n_bushes, n_zones), -1, dtype=np.int32),
    )  # fmt: skip
