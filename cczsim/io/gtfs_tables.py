"""Tables of a GTFS feed, from a zip or a folder, as columns of text; nothing is written to disk.

Rules, numbered in the code:

1. Only files that lines are made of are read. A zip may hold them in one folder; other members,
   those with paths that lead outside among them, are never opened.
2. A file of more than :data:`MAX_BYTES`, or one that swells more than :data:`MAX_RATIO` times as it
   is unpacked, is refused.
3. A row with another number of fields than the header is counted. What is missing at its end is
   taken as empty where no column is needed there, and blank fields beyond the header are cut off;
   other rows are left out.
4. Text that is not UTF-8 is read as UTF-16 where it begins as such, else as Windows-1252, and said
   to be.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pandas as pd

from cczsim.errors import FaultCollector, InputError

MAX_BYTES: Final = 2**30
MAX_RATIO: Final = 200
_SMALL: Final = 50 * 2**20
_SHOWN: Final = 5

# file: columns it must have, columns that are used if there.
TABLES: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "stops.txt": (
        ("stop_id", "stop_lat", "stop_lon"),
        ("stop_name", "parent_station", "location_type", "zone_id"),
    ),
    "routes.txt": (
        ("route_id", "route_type"), ("route_short_name", "route_long_name", "route_color",
                                    "agency_id"),
    ),
    "trips.txt": (("route_id", "service_id", "trip_id"), ("direction_id", "shape_id")),
    "stop_times.txt": (
        ("trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence"),
        ("pickup_type", "drop_off_type", "shape_dist_traveled"),
    ),
    "calendar.txt": (
        ("service_id", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday",
         "sunday", "start_date", "end_date"), (),
    ),
    "calendar_dates.txt": (("service_id", "date", "exception_type"), ()),
    "frequencies.txt": (
        ("trip_id", "start_time", "end_time", "headway_secs"), ("exact_times",),
    ),
    "shapes.txt": (
        ("shape_id", "shape_pt_lat", "shape_pt_lon", "shape_pt_sequence"),
        ("shape_dist_traveled",),
    ),
    "transfers.txt": (
        (), ("from_stop_id", "to_stop_id", "transfer_type", "min_transfer_time", "from_route_id",
             "to_route_id", "from_trip_id", "to_trip_id"),
    ),
    "fare_attributes.txt": (
        (), ("fare_id", "price", "currency_type", "transfers", "transfer_duration",
             "agency_id"),
    ),
    "fare_rules.txt": (
        (), ("fare_id", "route_id", "origin_id", "destination_id", "contains_id"),
    ),
}  # fmt: skip
_NOT_READ: Final = ("fare_products.txt", "fare_leg_rules.txt")
_NEEDED: Final = ("stops.txt", "routes.txt", "trips.txt", "stop_times.txt")


@dataclass
class Findings:
    """What was wrong with a feed and what was done about it: plain JSON rows.

    A row holds the ``file``, ``what`` is wrong with it, what was ``done``, how often (``count``)
    and the ``first`` ids or lines.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, file: str, what: str, ids: Iterable[Any], done: str) -> None:
        """Note a finding about some ids; without ids nothing is noted."""
        known = [str(one) for one in ids]
        if known:
            first = list(dict.fromkeys(known))[:_SHOWN]
            row = {"file": file, "what": what, "done": done, "count": len(known), "first": first}
            self.rows.append(row)


@dataclass(frozen=True)
class Feed:
    """The tables of a feed as text, empty where nothing stands; a missing file is no row.

    Parameters
    ----------
    path : Path
    tables : dict of str to DataFrame
        By file name; every column of :data:`TABLES` is there.
    findings : Findings
        Grows as the feed is used.
    """

    path: Path
    tables: dict[str, pd.DataFrame]
    findings: Findings

    def where(self, name: str, row: int | None = None) -> str:
        """Return a place in the feed, with the line of a row."""
        inside = f"{self.path}!{name}" if self.path.is_file() else str(self.path / name)
        return inside if row is None else f"{inside}:{row + 2}"


def is_gtfs(path: Path) -> bool:
    """Return whether a path names a feed: a zip, or a folder with most of what feeds need."""
    if path.is_dir():
        known = (*_NEEDED, "agency.txt", "calendar.txt", "calendar_dates.txt")
        return sum((path / name).is_file() for name in known) >= 3
    return path.suffix.lower() == ".zip"


def read_feed(path: Path) -> Feed:
    """Read the tables of a feed.

    Raises
    ------
    InputError
        No zip, a damaged or encrypted one, a file too large; a required file, column or all rows
        missing. All that are missing are named at once.
    """
    feed = Feed(path, {}, Findings())
    faults = FaultCollector(InputError)
    contents = _folder(feed) if path.is_dir() else _zip(feed)
    for name in (*_NEEDED, "calendar.txt or calendar_dates.txt"):
        if not any(one in contents for one in name.split(" or ")):
            faults.add(feed.where(name), "no such file", "a file that every feed has")
    for name, data in contents.items():
        table = _parse(feed, name, data, faults)
        if table is not None:
            feed.tables[name] = table
            if name in _NEEDED and not len(table):
                faults.add(feed.where(name), "no row", "at least one")
    faults.raise_if_any()
    for name, columns in TABLES.items():
        if name not in feed.tables:
            feed.tables[name] = pd.DataFrame({c: [] for part in columns for c in part}, dtype=str)
    if "shapes.txt" not in contents:
        feed.findings.add("shapes.txt", "no such file", ["shapes.txt"], "lengths as the crow flies")
    return feed


def _folder(feed: Feed) -> dict[str, bytes]:
    found = {}
    _note_new_fares(feed, [name for name in _NOT_READ if (feed.path / name).is_file()])
    for name in TABLES:
        file = feed.path / name
        if file.is_file():
            _refuse_size(feed.where(name), file.stat().st_size)
            try:
                found[name] = file.read_bytes()
            except OSError as error:
                raise InputError.of(str(file), str(error.strerror), "a readable file") from None
    return found


def _zip(feed: Feed) -> dict[str, bytes]:
    """Return the members that are read, by name (1)."""
    hint = "it may be cut off; fetch it again"
    if not feed.path.exists():
        raise InputError.of(str(feed.path), "nothing", "a GTFS feed: a zip or a folder")
    try:
        with zipfile.ZipFile(feed.path) as archive:
            members = _members(feed, archive)
            found = {}
            for name, member in members.items():
                _refuse_size(feed.where(name), member.file_size, member.compress_size)
                if member.flag_bits & 1:
                    raise InputError.of(feed.where(name), "an encrypted file", "an open one")
                try:
                    found[name] = archive.read(member)
                except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
                    raise InputError.of(
                        feed.where(name), f"a damaged member ({error})", "a sound zip", hint
                    ) from None
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError) as error:
        raise InputError.of(
            str(feed.path), f"no zip that can be read ({error})", "a GTFS feed as zip", hint
        ) from None
    return found


def _members(feed: Feed, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    every = archive.infolist()
    outside = [m.filename for m in every if ".." in m.filename.replace("\\", "/").split("/")
               or m.filename.startswith(("/", "\\"))]  # fmt: skip
    feed.findings.add(feed.path.name, "members whose path leads outside", outside, "not opened")
    sound = [m for m in every if m.filename not in outside and not m.is_dir()]
    folders = {m.filename.rpartition("/")[0] for m in sound if m.filename.endswith("trips.txt")}
    top = "" if "" in folders or not folders else min(folders, key=lambda f: (f.count("/"), f))
    prefix = f"{top}/" if top else ""
    _note_new_fares(feed, [n for n in _NOT_READ if any(m.filename == prefix + n for m in sound)])
    named: dict[str, zipfile.ZipInfo] = {}
    twice = []
    for member in sound:
        name = member.filename.removeprefix(prefix)
        if member.filename.startswith(prefix) and name in TABLES:
            twice += [name] if name in named else []
            named.setdefault(name, member)
    feed.findings.add(feed.path.name, "files that stand twice in the zip", twice, "first taken")
    return {name: named[name] for name in TABLES if name in named}


def _note_new_fares(feed: Feed, names: list[str]) -> None:
    done = "not read; prices of fare_attributes.txt, if any, are"
    feed.findings.add("fare_products.txt", "fares of version 2 (Fares V2)", names, done)


def _refuse_size(where: str, size: int, packed: int | None = None) -> None:
    """Raise where a file would swell beyond reason (2)."""
    if size > MAX_BYTES:
        raise InputError.of(
            where, f"{size / 2**30:.1f} GiB", f"at most {MAX_BYTES / 2**30:g} GiB a file",
            "cut the feed down to the days and agencies that are needed",
        )  # fmt: skip
    if packed is not None and size > max(_SMALL, MAX_RATIO * packed):
        raise InputError.of(
            where, f"{size / 2**20:.0f} MiB packed into {packed / 2**10:.0f} KiB",
            f"a table, which packs at most {MAX_RATIO} times",
        )  # fmt: skip


def _parse(feed: Feed, name: str, data: bytes, faults: FaultCollector) -> pd.DataFrame | None:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    needed, used = TABLES[name]
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        data = data.decode("utf-16", "replace").encode()  # 4
        feed.findings.add(name, "text that is not UTF-8", [name], "read as UTF-16")
    first = re.split(rb"[\r\n]", data[: 2**16].removeprefix(b"\xef\xbb\xbf"), maxsplit=1)[0]
    head = next(csv.reader([first.decode("utf-8", "replace").strip()]), [])
    names = [text.strip().strip("\ufeff").strip() for text in head]
    if not any(names) and name not in _NEEDED:
        feed.findings.add(name, "an empty file", [name], "as if it were not there")
        return None
    missing = [column for column in needed if column not in names]
    if missing:
        faults.add(
            feed.where(name, -1), f"no column {', '.join(missing)}", ", ".join(needed),
            "" if names else "the file is empty",
        )  # fmt: skip
        return None
    if len(first) + 3 >= len(data.rstrip()):
        return pd.DataFrame({c: [] for c in (*needed, *used)}, dtype=str)
    unique = [n if n not in names[:k] else f"{n} again {k}" for k, n in enumerate(names)]
    wrong: list[int | str] = []

    def skip(row: Any) -> str:
        wrong.append("?" if row.number is None else int(row.number))
        return "skip"

    def read(content: bytes) -> Any:
        return arrow_csv.read_csv(
            pa.BufferReader(content),
            read_options=arrow_csv.ReadOptions(
                column_names=unique, skip_rows=1, use_threads=False, block_size=2**24
            ),
            parse_options=arrow_csv.ParseOptions(
                newlines_in_values=True, invalid_row_handler=skip
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(unique, pa.string()),
                include_columns=[c for c in (*needed, *used) if c in unique],
            ),
        )  # fmt: skip

    try:
        try:
            table = read(data)
        except pa.ArrowInvalid as error:
            if "UTF8" not in str(error).upper().replace("-", ""):
                raise
            wrong.clear()
            data = data.decode("cp1252", "replace").encode()  # 4
            table = read(data)
            feed.findings.add(name, "text that is not UTF-8", [name], "read as Windows-1252")
        if wrong:
            wrong.clear()
            least = 1 + max((unique.index(column) for column in needed), default=0)
            try:
                data, mended = _squared(data, least, len(unique))
            except csv.Error:  # a quote that is never closed
                mended = []
            done = "what is missing is taken as empty, what is blank cut off"
            feed.findings.add(name, "rows with fewer or more fields", mended, done)
            table = read(data)
    except pa.ArrowInvalid as error:
        if "empty" in str(error).lower():
            return pd.DataFrame({c: [] for c in (*needed, *used)}, dtype=str)
        faults.add(feed.where(name), str(error).split("\n")[0][:200], "a CSV table")
        return None
    lines = [f"line {number}" for number in wrong]
    feed.findings.add(name, "rows with another number of fields", lines, "left out")  # 3
    return _trimmed(table, (*needed, *used))


def _squared(data: bytes, least: int, width: int) -> tuple[bytes, list[str]]:
    """Return a table with as many fields in each row as its header, and the rows mended (3)."""
    rows = csv.reader(io.StringIO(data.decode("utf-8-sig", "replace"), newline=""))
    out, mended = io.StringIO(), []
    write = csv.writer(out, lineterminator="\n").writerow
    for row in rows:
        kept = row
        if least <= len(row) < width:
            kept = row + [""] * (width - len(row))
        elif len(row) > width and not any(text.strip() for text in row[width:]):
            kept = row[:width]
        if kept is not row:
            mended.append(f"line {rows.line_num}")
        write(kept)
    return out.getvalue().encode(), mended


def _trimmed(table: Any, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return the columns as text without blanks around it; a column that is missing is empty."""
    import pyarrow.compute as pc

    found = {c: pc.utf8_trim_whitespace(table[c]).to_pandas() for c in table.column_names}
    frame = pd.DataFrame(found)
    for column in columns:
        if column not in frame:
            frame[column] = ""
    return frame


def plain(text: object) -> str:
    """Return a name in one line, without control characters; markup stays what it is, text."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())


def rows_once(table: pd.DataFrame, key: str, file: str, findings: Findings) -> pd.DataFrame:
    """Return the first row of each id; rows without an id are left out."""
    twice = table[key].duplicated()
    empty = table[key] == ""
    findings.add(file, f"{key} that stands twice", table[key][twice & ~empty], "first row taken")
    findings.add(file, f"rows without {key}", table.index[empty] + 2, "left out")
    kept = ~twice & ~empty
    return table if kept.all() else table[kept].reset_index(drop=True)
