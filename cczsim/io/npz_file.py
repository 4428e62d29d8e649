"""Plain arrays from ``.npz`` files: no code in them is run, and none may swell beyond reason."""

from __future__ import annotations

import struct
import tokenize
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from os import SEEK_END
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

MAX_RATIO: Final = 100
FREE_BYTES: Final = 2**26
"""What a file may swell to whatever its size."""
UNREADABLE: Final = (
    OSError, ValueError, KeyError, TypeError, EOFError, OverflowError, RuntimeError,
    NotImplementedError, IndexError, MemoryError, SyntaxError, tokenize.TokenError, struct.error,
    zlib.error, zipfile.BadZipFile,
)  # fmt: skip
"""What reading a damaged archive may raise."""


def size_of(file: Path | BinaryIO) -> int:
    """Return how many bytes a file holds."""
    if isinstance(file, Path):
        return file.stat().st_size
    here = file.tell()
    size = file.seek(0, SEEK_END)
    file.seek(here)
    return size


@contextmanager
def open_arrays(file: Path | BinaryIO) -> Iterator[Any]:
    """Open a file of arrays; pickled objects are refused.

    Raises
    ------
    one of :data:`UNREADABLE`
        Also while arrays are taken out.
    """
    with file.open("rb") if isinstance(file, Path) else nullcontext(file) as stream:
        size = size_of(stream)
        with zipfile.ZipFile(stream) as archive:
            swollen = sum(item.file_size for item in archive.infolist())
        if swollen > FREE_BYTES + MAX_RATIO * size:
            raise ValueError(f"{size} bytes that swell to {swollen}")
        stream.seek(0)
        with np.load(stream, allow_pickle=False) as arrays:
            yield arrays
