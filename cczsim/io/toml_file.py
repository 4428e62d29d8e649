"""TOML files as text and values, with the line of what is wrong."""

from __future__ import annotations

import re
import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from cczsim.errors import InputError

_AT: Final = re.compile(
    r"^(.*?)\s*\(at line (\d+), column (\d+)\)$|^(.*?)\s*\(at end of document\)$"
)


def read_text(path: Path, expected: str = "a scenario file") -> str:
    """Return the text of a UTF-8 file.

    Raises
    ------
    InputError
        The file is missing, a folder, unreadable, or not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise InputError.of(str(path), "no such file", expected, nearest_file(path)) from None
    except IsADirectoryError:
        raise InputError.of(str(path), "a folder", expected) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError.of(
            f"{path}:{line}", f"byte 0x{error.object[error.start]:02x}", "UTF-8 text",
            "save the file as UTF-8",
        ) from None  # fmt: skip
    except OSError as error:
        raise InputError.of(str(path), error.strerror or str(error), expected) from None


def nearest_file(path: Path) -> str:
    """Return a hint that names a file of nearly the same name beside a missing one."""
    try:
        names = sorted(p.name for p in path.parent.iterdir())
    except OSError:
        return f"there is no folder {str(path.parent)!r}"
    near = get_close_matches(path.name, names, 1, 0.6)
    return f"did you mean {str(path.parent / near[0])!r}?" if near else ""


def parse_toml(path: Path, expected: str) -> tuple[dict[str, Any], str]:
    """Return the values of a TOML file and its text.

    Raises
    ------
    InputError
        The file cannot be read or is no TOML.
    """
    text = read_text(path, expected)
    try:
        return tomllib.loads(text), text
    except tomllib.TOMLDecodeError as error:
        match = _AT.match(str(error))
        said, line = (match[1] or match[4], match[2]) if match else (str(error), None)
        where = f"{path}:{line or text.rstrip().count(chr(10)) + 1}"
        raise InputError.of(
            where, f"broken TOML ({said})", "TOML",
            "look at quotes, brackets and = signs here and on the line before",
        ) from None  # fmt: skip
    except RecursionError:
        raise InputError.of(str(path), "brackets nested too deep", expected) from None
