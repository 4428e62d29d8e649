"""Trip matrices: OMX, CSV and TNTP, read and written.

OMX is HDF5 with matrices under ``/data`` and zone numbers under ``/lookup`` (OpenMatrix
specification 0.2); CSV is either long (``origin,destination,trips``) or wide (a header of zones).
"""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import Any, Final

import numpy as np

from cczsim.columns import Array
from cczsim.errors import FaultCollector, InputError
from cczsim.io.tntp import read_text, read_trips, write_trips

_MAX_FAULTS: Final = 50
_LONG: Final = {
    "origin": ("origin", "o", "from", "o_zone_id", "orig"),
    "destination": ("destination", "d", "to", "d_zone_id", "dest"),
    "trips": ("trips", "volume", "demand", "flow", "value"),
}


def read_matrix(path: Path, zone_ids: Array, name: str | None = None) -> Array:
    """Read a trip matrix in the order of the zones.

    Parameters
    ----------
    path : Path
        ``.omx``, ``.csv`` or ``.tntp``.
    zone_ids : int array [zone]
        Outside ids.
    name : str, optional
        Matrix within an OMX file; needed where there are several.

    Returns
    -------
    array [zone, zone], trips/h

    Raises
    ------
    InputError
        A missing, cut off or foreign file; unknown zones; negative or non-finite cells; no trips.
    """
    kind = path.suffix.lower()
    if not path.exists():
        raise InputError.of(str(path), "no such file", "a trip matrix", "check the path")
    if kind == ".omx":
        matrix = _read_omx(path, zone_ids, name)
    elif kind == ".csv":
        matrix = _read_csv(path, zone_ids)
    elif kind == ".tntp":
        if not np.array_equal(zone_ids, np.arange(len(zone_ids)) + 1):
            raise InputError.of(
                str(path), "a TNTP trip table for zones that are not 1, 2, 3 …", "OMX or CSV"
            )
        matrix = read_trips(path, len(zone_ids))
    else:
        raise InputError.of(str(path), f"the ending {kind!r}", ".omx, .csv or .tntp")
    _check_cells(matrix, zone_ids, path)
    return matrix


def _check_cells(matrix: Array, zone_ids: Array, path: Path) -> None:
    faults = FaultCollector(InputError)
    for bad, expected in (
        (~np.isfinite(matrix), "a finite number"),
        (np.nan_to_num(matrix) < 0.0, "at least 0"),
    ):
        cells = np.argwhere(bad)
        for o, d in cells[:5]:
            faults.add(
                f"{path}: origin {zone_ids[o]}, destination {zone_ids[d]}", f"{matrix[o, d]}",
                expected,
            )  # fmt: skip
        if len(cells) > 5:
            faults.add(str(path), f"{len(cells) - 5} more such cells", expected)
    if not faults.faults and not matrix.any():
        faults.add(str(path), "no trips", "at least one cell above 0")
    faults.raise_if_any()


def _read_omx(path: Path, zone_ids: Array, name: str | None) -> Array:
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise InputError.of(
            str(path), f"a file that HDF5 cannot open ({error})", "an OMX file",
            "it may be cut off; fetch it again",
        ) from None  # fmt: skip
    with file:
        try:
            matrix, lookup = _content(file, len(zone_ids), name, path)
        except (OSError, RuntimeError, TypeError, ValueError, KeyError) as error:
            raise InputError.of(
                str(path), f"a damaged file ({error})", "an OMX file",
                "it may be cut off; fetch it again",
            ) from None  # fmt: skip
    return _ordered(matrix, lookup, zone_ids, path)


def _content(file: Any, n_zones: int, name: str | None, path: Path) -> tuple[Array, Array | None]:
    """Return the matrix and the lookup of an open file."""
    import h5py

    group = file.get("data")
    names = list(group) if isinstance(group, h5py.Group) else []
    if not names:
        raise InputError.of(str(path), "no matrix under /data", "an OMX file")
    if name is None and len(names) > 1:
        raise InputError.of(
            str(path), f"several matrices: {', '.join(names)}", "one", "name the one to read"
        )
    wanted = name or names[0]
    if wanted not in names:
        raise InputError.of(str(path), f"no matrix {wanted!r}", "one of " + ", ".join(names))
    if not isinstance(group[wanted], h5py.Dataset):
        raise InputError.of(f"{path}: /data/{wanted}", "a group", "a matrix of numbers")
    shape = group[wanted].shape
    if shape is None or math.prod(shape) > 4 * max(n_zones, 1) ** 2 + 10_000:
        raise InputError.of(
            f"{path}: /data/{wanted}", f"a matrix of {shape}", f"{n_zones} by {n_zones} zones"
        )
    try:
        matrix = np.array(group[wanted], dtype=np.float64)
    except (OSError, TypeError, ValueError) as error:
        raise InputError.of(str(path), f"{wanted}: {error}", "a matrix of numbers") from None
    return matrix, _lookup(file, n_zones, path)


def _lookup(file: Any, n_zones: int, path: Path) -> Array | None:
    """Return the zone numbers of the file, or None where it holds none of the right length.

    Raises
    ------
    InputError
        Several lookups that disagree, or a zone that stands twice in one.
    """
    import h5py

    group = file.get("lookup")
    if not isinstance(group, h5py.Group):
        return None
    found: dict[str, Array] = {}
    for name in group:
        if getattr(group[name], "shape", None) != (n_zones,):
            continue
        values = np.array(group[name])
        if values.dtype.kind in "iuf" and (values == np.floor(values)).all():
            found[name] = values.astype(np.int64)
    if not found:
        return None
    first = next(iter(found.values()))
    if any(not np.array_equal(first, other) for other in found.values()):
        raise InputError.of(
            f"{path}: /lookup", f"several lookups: {', '.join(found)}", "one order of the zones"
        )
    _refuse_twice(first.tolist(), f"{path}: /lookup")
    return first


def _refuse_twice(zones: list[int], where: str) -> None:
    seen: set[int] = set()
    twice = sorted({zone for zone in zones if zone in seen or seen.add(zone)})  # type: ignore[func-returns-value]
    if twice:
        shown = ", ".join(map(str, twice[:5]))
        raise InputError.of(where, f"zone {shown} more than once", "each zone once")


def _ordered(matrix: Array, lookup: Array | None, zone_ids: Array, path: Path) -> Array:
    n = len(zone_ids)
    if matrix.shape != (n, n):
        raise InputError.of(
            str(path), f"a matrix of {' x '.join(map(str, matrix.shape))}", f"{n} x {n}, as zones"
        )
    if lookup is None or np.array_equal(lookup, zone_ids):
        return matrix
    place = {int(zone): k for k, zone in enumerate(lookup)}
    missing = [int(z) for z in zone_ids if int(z) not in place]
    if missing:
        raise InputError.of(
            f"{path}: /lookup", f"no zones {missing[:5]}", "the zones of the network"
        )
    rows = np.array([place[int(z)] for z in zone_ids])
    return np.ascontiguousarray(matrix[np.ix_(rows, rows)])


def _read_csv(path: Path, zone_ids: Array) -> Array:
    try:
        rows = list(csv.reader(read_text(path).splitlines()))
    except csv.Error as error:
        raise InputError.of(str(path), f"text that is no CSV ({error})", "a trip matrix") from None
    if not rows or not any(any(cell.strip() for cell in row) for row in rows):
        raise InputError.of(str(path), "an empty file", "origin,destination,trips")
    header = [cell.strip().lower() for cell in rows[0]]
    columns = {
        key: next((header.index(name) for name in names if name in header), None)
        for key, names in _LONG.items()
    }
    if all(place is not None for place in columns.values()):
        return _read_long(path, rows, [columns[key] or 0 for key in _LONG], zone_ids)
    if any(place is not None for place in columns.values()):
        missing = [key for key, place in columns.items() if place is None]
        raise InputError.of(
            f"{path}:1", f"columns {', '.join(rows[0])}", f"also {' and '.join(missing)}"
        )
    return _read_wide(path, rows, zone_ids)


def _read_long(path: Path, rows: list[list[str]], at: list[int], zone_ids: Array) -> Array:
    place = {int(zone): k for k, zone in enumerate(zone_ids)}
    matrix = np.zeros((len(zone_ids), len(zone_ids)))
    faults = FaultCollector(InputError)
    for line, row in enumerate(rows[1:], start=2):
        if not any(cell.strip() for cell in row):
            continue
        where = f"{path}:{line}"
        if len(row) <= max(at):
            faults.add(where, f"{len(row)} cells", f"{len(rows[0])}, as the header has")
            continue
        origin, destination, trips = (row[k].strip() for k in at)
        ends = []
        for name, text in (("origin", origin), ("destination", destination)):
            zone = _whole_number(text)
            if zone is None or zone not in place:
                faults.add(where, f"{name} {text!r}", "a zone of the network")
            else:
                ends.append(place[zone])
        try:
            value = float(trips)
        except ValueError:
            value = math.nan
        if not math.isfinite(value) or value < 0.0:
            faults.add(where, f"trips {trips!r}", "a finite number of at least 0")
        elif len(ends) == 2:
            matrix[ends[0], ends[1]] += value
        if len(faults.faults) >= _MAX_FAULTS:
            faults.add(str(path), "more faults than are listed", "a trip matrix")
            break
    faults.raise_if_any()
    return matrix


def _whole_number(text: str) -> int | None:
    if text.isascii() and text.isdigit():
        return int(text)  # ids of H3 cells have more digits than a float holds
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if math.isfinite(number) and number == int(number) else None


def _read_wide(path: Path, rows: list[list[str]], zone_ids: Array) -> Array:
    faults = FaultCollector(InputError)
    heads = [_whole_number(cell) for cell in rows[0][1:]]
    body = [row for row in rows[1:] if any(cell.strip() for cell in row)]
    tails = [_whole_number(row[0]) for row in body]
    known = {int(zone) for zone in zone_ids}
    for what, found in (("columns", heads), ("rows", tails)):
        wrong = [k for k, zone in enumerate(found) if zone not in known]
        if wrong or len(found) != len(zone_ids):
            faults.add(
                f"{path}: {what}", f"{len(found)} of which {len(wrong)} are no zones",
                f"the {len(zone_ids)} zones of the network",
                "a long table has the header origin,destination,trips",
            )  # fmt: skip
    faults.raise_if_any()
    for what, found in (("columns", heads), ("rows", tails)):
        _refuse_twice([zone for zone in found if zone is not None], f"{path}: {what}")
    matrix = np.zeros((len(body), len(heads)))
    for k, row in enumerate(body):
        for j, cell in enumerate(row[1 : len(heads) + 1]):
            try:
                matrix[k, j] = float(cell)
            except ValueError:
                faults.add(f"{path}:{k + 2}, column {j + 2}", repr(cell), "a number")
        if len(row) != len(heads) + 1:
            faults.add(f"{path}:{k + 2}", f"{len(row)} cells", f"{len(heads) + 1}")
    faults.raise_if_any()
    column = {zone: j for j, zone in enumerate(heads)}
    line = {zone: k for k, zone in enumerate(tails)}
    order = [int(zone) for zone in zone_ids]
    return np.ascontiguousarray(
        matrix[np.ix_([line[z] for z in order], [column[z] for z in order])]
    )


def write_matrix(matrix: Array, zone_ids: Array, path: Path, name: str = "trips") -> None:
    """Write a trip matrix as ``.omx``, ``.csv`` (long, zeros left out) or ``.tntp``.

    Raises
    ------
    InputError
        Another ending.
    """
    kind = path.suffix.lower()
    if kind == ".tntp":
        write_trips(matrix, path)
    elif kind == ".csv":
        origins, destinations = np.nonzero(matrix)
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["origin", "destination", "trips"])
            writer.writerows(
                (int(zone_ids[o]), int(zone_ids[d]), repr(float(matrix[o, d])))
                for o, d in zip(origins, destinations, strict=True)
            )
    elif kind == ".omx":
        write_matrices({name: matrix}, zone_ids, path)
    else:
        raise InputError.of(str(path), f"the ending {kind!r}", ".omx, .csv or .tntp")


def write_matrices(matrices: dict[str, Array], zone_ids: Array, path: Path) -> None:
    """Write matrices ``[zone, zone]`` by name as ``.omx``.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    import h5py

    n = len(zone_ids)
    with h5py.File(path, "w", track_order=True) as file:
        file.attrs["OMX_VERSION"] = np.bytes_("0.2")
        file.attrs["SHAPE"] = np.array([n, n], dtype=np.int32)
        data = file.create_group("data", track_order=True)
        for name, matrix in matrices.items():
            data.create_dataset(
                name, data=matrix, compression="gzip", compression_opts=4, shuffle=True
            )
        file.create_group("lookup").create_dataset("zone", data=np.asarray(zone_ids))
