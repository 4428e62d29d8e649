"""Answers are kept by what they hang on, and only the last few."""

from __future__ import annotations

import numpy as np
import shapely

from cczsim.network.kept import Kept, digest


def test_keys_tell_columns_apart() -> None:
    squares = np.array([shapely.box(0, 0, 1, 1), None], dtype=object)
    moved = np.array([shapely.box(0, 0, 1, 1.5), None], dtype=object)
    one, two = np.arange(2.0), np.arange(3.0)
    keys = [
        digest(one, two), digest(two, one), digest(np.concatenate([one, two])),
        digest(one.astype(np.float32), two), digest(one, None), digest(one), digest(squares),
        digest(moved), digest(squares[::-1]),
    ]  # fmt: skip
    assert len(set(keys)) == len(keys)
    assert digest(one.copy(), two[::1], squares.copy()) == digest(one, two, squares)


def test_an_answer_is_made_once_and_the_oldest_goes() -> None:
    made: list[bytes] = []
    kept: Kept[int] = Kept(2)

    def ask(key: bytes) -> int:
        return kept.get(key, lambda: made.append(key) or len(made))

    assert [ask(b"a"), ask(b"b"), ask(b"a"), ask(b"c"), ask(b"a")] == [1, 2, 1, 3, 4]
    assert made == [b"a", b"b", b"c", b"a"]
