"""Blocks of a .osm.pbf file as columns of numbers: no Python object a node, way or tag.

All of a primitive group but its nested messages' lengths are varints, so a group is decoded at
once into an array of numbers, and the fields of all its messages are walked side by side (*OSM PBF
format*, OpenStreetMap wiki; *Encoding*, Protocol Buffers documentation). What does not fit raises
:class:`StrangeError`: the caller then asks pyosmium, which reads every variant and names what is
wrong.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from cczsim.columns import Array

KNOWN_FEATURES: Final = (b"OsmSchema-V0.6", b"DenseNodes")
_LARGEST_HEADER: Final = 64 * 1024
_LARGEST_BLOB: Final = 32 * 1024 * 1024


class StrangeError(Exception):
    """Something that this reader does not read."""


@dataclass(frozen=True)
class Block:
    """A primitive block: its strings, its groups as bytes, and how its places are scaled."""

    strings: list[bytes]
    groups: list[bytes]
    granularity: int
    lat_offset: int
    lon_offset: int

    def degrees(self, value: Array, lat: bool) -> Array:
        """Return coordinates in units of 1e-7 degrees, as the database holds them."""
        offset = self.lat_offset if lat else self.lon_offset
        if self.granularity == 100 and offset == 0:
            return value
        nano = offset + self.granularity * value
        return np.round(nano / 100).astype(np.int64)


class Span(NamedTuple):
    """Numbers of a repeated field of each message: ``first [message + 1]``, ``value``."""

    first: Array
    value: Array


class Group:
    """The numbers of a primitive group."""

    def __init__(self, data: bytes) -> None:
        raw = np.frombuffer(data, dtype=np.uint8)
        ends = np.flatnonzero(raw < 128)
        if not len(raw) or ends[-1] != len(raw) - 1:
            raise StrangeError("a group that breaks off")
        starts = np.empty_like(ends)
        starts[0] = 0
        starts[1:] = ends[:-1] + 1
        bits = raw & 127
        number = bits[starts].astype(np.int64)
        size = ends - starts
        longer, shift = np.flatnonzero(size), 7  # few numbers have many bytes
        while len(longer):
            if shift > 63:
                raise StrangeError("a number of more than ten bytes")
            number[longer] |= bits[starts[longer] + shift // 7].astype(np.int64) << shift
            shift += 7
            longer = longer[size[longer] >= shift // 7]
        self.data, self.number = data, number
        self.start = np.append(starts, len(raw))
        # Number that begins at each byte; a place within a number is none.
        self.at = np.full(len(raw) + 1, -1, dtype=np.int64)
        self.at[self.start] = np.arange(len(self.start))

    def messages(self) -> tuple[Array, Array, Array]:
        """Return field, first number and end (number behind) of the messages of the group."""
        data, n = self.data, len(self.data)
        fields, begins, stops = [], [], []
        stop = 0
        while stop < n:
            tag, size, begin = data[stop], data[stop + 1], stop + 2
            if tag & 7 != 2 or tag > 127:
                raise StrangeError("a group of something other than messages")
            if size > 127:
                size, begin = _varint(data, begin - 1)
            stop = begin + size
            if stop > n:
                raise StrangeError("a message that breaks off")
            fields.append(tag >> 3)
            begins.append(begin)
            stops.append(stop)
        first, last = self.at[begins], self.at[stops]
        if (last < 0).any():
            raise StrangeError("a message that breaks off")
        return np.array(fields), first, last

    def fields(
        self, begins: Array, stops: Array, scalars: tuple[int, ...], spans: tuple[int, ...]
    ) -> tuple[dict[int, Array], dict[int, Span]]:
        """Walk the fields of some messages side by side.

        Returns
        -------
        scalars : dict
            Field → its number in each message, 0 where it has none.
        spans : dict
            Field → numbers of the packed field in each message.
        """
        n = len(begins)
        value = {field: np.zeros(n, dtype=np.int64) for field in scalars}
        low = {field: np.zeros(n, dtype=np.int64) for field in spans}
        high = {field: np.zeros(n, dtype=np.int64) for field in spans}
        at, row = begins.astype(np.int64), np.arange(n)
        while len(row):
            live = at < stops[row]
            at, row = at[live], row[live]
            if not len(row):
                break
            tag = self.number[at]
            wire, field = tag & 7, tag >> 3
            if ((wire != 0) & (wire != 2)).any() or (at + 1 >= len(self.number)).any():
                raise StrangeError("a field of another kind")
            after = at + 2
            packed = wire == 2
            begin = self.start[after[packed]]
            end = begin + self.number[at[packed] + 1]
            if (end < begin).any() or (end > self.start[-1]).any() or (self.at[end] < 0).any():
                raise StrangeError("a field that breaks off")
            for name in scalars:
                own = (field == name) & ~packed
                value[name][row[own]] = self.number[at[own] + 1]
            behind = after.copy()
            behind[packed] = self.at[end]
            for name in spans:
                own = (field == name) & packed
                if (high[name][row[own]] > low[name][row[own]]).any():
                    raise StrangeError("a packed field in two parts")
                low[name][row[own]], high[name][row[own]] = after[own], behind[own]
                if ((field == name) & ~packed).any():
                    raise StrangeError("a field that is not packed")
            at = behind
        return value, {name: self._span(low[name], high[name]) for name in spans}

    def _span(self, low: Array, high: Array) -> Span:
        count = high - low
        first = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
        index = np.arange(first[-1]) + np.repeat(low - first[:-1], count)
        return Span(first, self.number[index])


def signed(value: Array) -> Array:
    """Return the signed numbers behind zigzag-coded ones."""
    bits = value.view(np.uint64)
    return (bits >> np.uint64(1)).view(np.int64) ^ -(value & 1)


def running(span: Span) -> Array:
    """Return the running sums of zigzag-coded steps, anew in each message."""
    total = np.cumsum(signed(span.value))
    before = np.concatenate([[0], total])[span.first[:-1]]
    return np.asarray(total - np.repeat(before, np.diff(span.first)))


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise StrangeError("a number of more than ten bytes")


def _parts(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Return field and value of a message that may hold bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        if tag & 7 == 0:
            value, at = _varint(data, at)
            yield tag >> 3, value
        elif tag & 7 == 2:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise StrangeError("a message that breaks off")
            yield tag >> 3, data[at : at + size]
            at += size
        else:
            raise StrangeError("a field of another kind")


def _strings(data: bytes) -> list[bytes]:
    """Return the strings of a string table: as :func:`_parts` would, in a third of the time."""
    out = []
    at, n = 0, len(data)
    while at < n:
        if data[at] != 10:
            raise StrangeError("a string table of something other than strings")
        size = data[at + 1]
        if size < 128:
            at += 2
        else:
            size, at = _varint(data, at + 1)
        if at + size > n:
            raise StrangeError("a message that breaks off")
        out.append(data[at : at + size])
        at += size
    return out


def _blob(data: bytes) -> bytes:
    size, raw = 0, None
    for field, value in _parts(data):
        if field == 2 and isinstance(value, int):
            size = value
        elif field == 1 and isinstance(value, bytes):
            raw = value
        elif field == 3 and isinstance(value, bytes):
            if size > _LARGEST_BLOB:
                raise StrangeError("a blob that is too large")
            unpack = zlib.decompressobj()
            raw = unpack.decompress(value, _LARGEST_BLOB)
    if raw is None:
        raise StrangeError("a blob of an unknown compression")
    return raw


def _primitive(data: bytes) -> Block:
    strings: list[bytes] = []
    groups: list[bytes] = []
    number = {17: 100, 19: 0, 20: 0}
    for field, value in _parts(data):
        if field == 1 and isinstance(value, bytes):
            strings = _strings(value)
        elif field == 2 and isinstance(value, bytes):
            groups.append(value)
        elif field in number and isinstance(value, int):
            number[field] = value - 2**64 if value >= 2**63 else value
    return Block(strings, groups, number[17], number[19], number[20])


def read_blocks(path: Path) -> Iterator[Block]:
    """Return the primitive blocks of a file, one after the other.

    Raises
    ------
    StrangeError
        The file breaks off, is damaged, or needs what is not read here.
    """
    try:
        with path.open("rb") as file:
            seen_header = False
            while head := file.read(4):
                size = int.from_bytes(head, "big")
                if len(head) < 4 or size > _LARGEST_HEADER:
                    raise StrangeError("no blob header")
                header = dict(_parts(file.read(size)))
                length = header.get(3)
                if not isinstance(length, int) or length > _LARGEST_BLOB:
                    raise StrangeError("a blob without a size")
                body = file.read(length)
                if len(body) < length:
                    raise StrangeError("a blob that breaks off")
                if header.get(1) == b"OSMHeader":
                    needed = [value for field, value in _parts(_blob(body)) if field == 4]
                    if any(feature not in KNOWN_FEATURES for feature in needed):
                        raise StrangeError("a feature that is not read")
                    seen_header = True
                elif header.get(1) == b"OSMData":
                    if not seen_header:
                        raise StrangeError("data before the header")
                    yield _primitive(_blob(body))
    except (IndexError, ValueError, zlib.error) as error:
        raise StrangeError(str(error)) from error
