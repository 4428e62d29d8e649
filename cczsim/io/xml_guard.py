"""OSM XML with an element too long to be one: parsers take time by the square of its length."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path
from typing import Any, Final

from cczsim.errors import InputError

_CHUNK: Final = 2**20
_OPENERS: Final[dict[str, Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".osm": Path.open}


def refuse_long_elements(path: Path) -> None:
    """Raise where a mebibyte of an OSM XML file, packed or not, ends no element.

    OpenStreetMap's own values hold at most 255 characters. What cannot be unpacked is left to the
    reader to tell.

    Raises
    ------
    InputError
    """
    opened = _OPENERS.get(path.suffix)
    if opened is None:
        return
    try:
        with opened(path, "rb") as stream:
            start = 0
            while len(chunk := stream.read(_CHUNK)) == _CHUNK:
                if b">" not in chunk:
                    raise InputError.of(
                        str(path), f"an element of more than {_CHUNK >> 20} MiB from byte {start}",
                        "an OpenStreetMap file", "the file is damaged, or no OSM XML",
                    )  # fmt: skip
                start += _CHUNK
    except (OSError, EOFError, ValueError):
        return
