"""Lines of the keys of a TOML text, which the standard reader does not keep.

The text has been read by ``tomllib`` before, so it is known to be well formed and this scan only
follows its outline: headers, keys, strings, brackets.
"""

from __future__ import annotations

import tomllib
from typing import Final

Path = tuple[str | int, ...]
_BLANK: Final = " \t\r\n"


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {(): 1}
        self._counted = (0, 1)
        self._items: dict[Path, int] = {}

    def line(self) -> int:
        start, number = self._counted
        number += self.text.count("\n", start, self.at)
        self._counted = (self.at, number)
        return number

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def skip(self, blank: str = _BLANK) -> None:
        while self.at < len(self.text):
            if self.peek() in blank:
                self.at += 1
            elif self.peek() == "#":
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            else:
                return

    def string(self) -> None:
        quote = self.peek()
        mark = quote * 3 if self.text.startswith(quote * 3, self.at) else quote
        self.at += len(mark)
        while not self.text.startswith(mark, self.at):
            self.at += 2 if quote == '"' and self.peek() == "\\" else 1
        self.at += len(mark)
        while len(mark) == 3 and self.peek() == quote:  # quotes may stand before the end mark
            self.at += 1

    def key(self) -> Path:
        parts: list[str] = []
        while True:
            self.skip(" \t")
            if self.peek() in "\"'":
                start = self.at
                self.string()
                parts.append(tomllib.loads(f"key = {self.text[start : self.at]}")["key"])
            else:
                start = self.at
                while self.peek() not in " \t=.]":
                    self.at += 1
                parts.append(self.text[start : self.at])
            self.skip(" \t")
            if self.peek() != ".":
                return tuple(parts)
            self.at += 1

    def note(self, path: Path) -> None:
        line = self.line()
        for size in range(1, len(path) + 1):
            self.lines.setdefault(path[:size], line)

    def value(self, path: Path) -> None:
        self.skip()
        self.note(path)
        match self.peek():
            case '"' | "'":
                self.string()
            case "[":
                self.at += 1
                for row in range(len(self.text)):
                    self.skip(_BLANK + ",")
                    if self.peek() == "]":
                        break
                    self.value((*path, row))
                self.at += 1
            case "{":
                self.at += 1
                while True:
                    self.skip(_BLANK + ",")
                    if self.peek() == "}":
                        break
                    self.pair(path)
                self.at += 1
            case _:
                while self.at < len(self.text) and self.peek() not in ",]}#\n":
                    self.at += 1

    def pair(self, table: Path) -> None:
        self.skip()
        path = (*table, *self.key())
        self.note(path)
        self.at += 1
        self.value(path)

    def inside(self, path: Path) -> Path:
        """Return the path with the running item of each array of tables on the way."""
        out: Path = ()
        for part in path:
            out = (*out, part)
            if out in self._items:
                out = (*out, self._items[out])
        return out

    def document(self) -> None:
        table: Path = ()
        while True:
            self.skip()
            if self.at >= len(self.text):
                return
            if self.peek() != "[":
                self.pair(table)
                continue
            array = self.text.startswith("[[", self.at)
            self.at += 2 if array else 1
            key = self.key()
            table = (*self.inside(key[:-1]), key[-1])
            if array:
                self._items[table] = self._items.get(table, -1) + 1
                self.note(table)
                table = (*table, self._items[table])
            self.note(table)
            self.at += 2 if array else 1


def key_lines(text: str) -> dict[Path, int]:
    """Return the line of every key, table and list item of a well-formed TOML text.

    Returns
    -------
    dict
        Path of keys and list positions to line, counted from 1; ``()`` is line 1.
    """
    scan = _Scan(text)
    scan.document()
    return scan.lines
