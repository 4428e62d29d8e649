"""Answers that one run asks for again and again, kept by all that they hang on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Generic, TypeVar

from cczsim.columns import Array

Answer = TypeVar("Answer")


def digest(*parts: Array | None) -> bytes:
    """Return a key that tells columns apart: numbers, shapes (an array of objects), or nothing."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        if part is None:
            state.update(b"none")
            continue
        state.update(f"{part.dtype} {part.shape} ".encode())
        if part.dtype != object:
            state.update(part.tobytes())
            continue
        import shapely

        for shape in shapely.to_wkb(part):
            state.update(b"none" if shape is None else shape)
    return state.digest()


class Kept(Generic[Answer]):
    """The last few answers, of which ``most`` are kept; whoever takes one leaves it as it is."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._found: dict[bytes, Answer] = {}

    def get(self, key: bytes, make: Callable[[], Answer]) -> Answer:
        """Return the answer of a key, which is made where it is not kept."""
        found = self._found.get(key)
        if found is None:
            found = make()
            while len(self._found) >= self._most:
                self._found.pop(next(iter(self._found)))
            self._found[key] = found
        return found
