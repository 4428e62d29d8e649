"""Damage to inputs: bytes, tokens, lines, as slips and storms and bad intent would make it."""

from __future__ import annotations

import random
import re

EXTREMES = (
    b"0", b"-1", b"-0.0", b"1e308", b"1e-320", b"nan", b"NaN", b"inf", b"-inf", b"1e999", b"",
    b"99999999999999999999", b"-9223372036854775809", b"2147483648", b"4294967297", b"0x10",
    b"1_000", b"1,5", b"true", b"null", b"''", b"\"", b"'", b"\\", b"<", b"&", b"]]>", b"\x00",
    b"\xff", b"\xef\xbb\xbf", "中文".encode(), "\u202e".encode(), "٣".encode(), b"../../etc/passwd",
    b"'); DROP TABLE links; --", b"<script>alert(1)</script>", b"${HOME}", b"{{7*7}}", b"%s%n",
    b"a" * 5000, b"9" * 400, b"[" * 200, b"{" * 200, b"\r", b"\r\n", b"\n\n", b"\t", b" ",
)  # fmt: skip
_TOKEN = re.compile(rb"[\w.+-]+|[^\w\s]")


def mutate(data: bytes, source: random.Random) -> bytes:
    """Return data with one to four damages drawn from a source."""
    for _ in range(source.choice((1, 1, 1, 2, 4))):
        data = source.choice(_WAYS)(data, source)
    return data


def _span(data: bytes, source: random.Random, longest: int = 64) -> tuple[int, int]:
    start = source.randint(0, len(data))
    return start, min(len(data), start + source.randint(1, longest))


def flip(data: bytes, source: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(source.choice((1, 1, 3, 20))):
        if out:
            out[source.randrange(len(out))] ^= 1 << source.randrange(8)
    return bytes(out)


def insert(data: bytes, source: random.Random) -> bytes:
    at, _ = _span(data, source)
    return data[:at] + source.choice((*EXTREMES, source.randbytes(8))) + data[at:]


def delete(data: bytes, source: random.Random) -> bytes:
    start, end = _span(data, source)
    return data[:start] + data[end:]


def repeat(data: bytes, source: random.Random) -> bytes:
    start, end = _span(data, source)
    return data[:end] + data[start:end] * source.choice((1, 2, 50)) + data[end:]


def truncate(data: bytes, source: random.Random) -> bytes:
    return data[: _span(data, source)[0]]


def token(data: bytes, source: random.Random) -> bytes:
    """Put an extreme, or another token of the same input, in the place of a token."""
    found = list(_TOKEN.finditer(data))
    if not found:
        return insert(data, source)
    old = source.choice(found)
    new = source.choice(EXTREMES) if source.random() < 0.7 else source.choice(found)[0]
    return data[: old.start()] + new + data[old.end() :]


def lines(data: bytes, source: random.Random) -> bytes:
    """Drop, repeat, swap or join lines."""
    rows = data.split(b"\n")
    at, other = source.randrange(len(rows)), source.randrange(len(rows))
    match source.randrange(4):
        case 0:
            del rows[at]
        case 1:
            rows.insert(other, rows[at])
        case 2:
            rows[at], rows[other] = rows[other], rows[at]
        case _:
            rows[at : at + 2] = [b"".join(rows[at : at + 2])]
    return b"\n".join(rows)


_WAYS = (flip, insert, delete, repeat, truncate, token, token, token, lines, lines)
