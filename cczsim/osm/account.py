"""The account of a build: what came in, what was kept, what was left out and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cczsim.columns import Array
from cczsim.osm.extract import NO_WORD, OsmExtract

TOO_SHORT = "fewer than two of its nodes in the extract"


def account(
    extract: OsmExtract, key: str, reasons: Sequence[str], reason: Array, length: Array,
    kept_length: Array, kept: Array,
) -> dict[str, Any]:  # fmt: skip
    """Return ways and kilometres by value of a key: input, kept, left out by reason.

    Parameters
    ----------
    extract : OsmExtract
    key : str
        Ways without it are not counted.
    reasons : sequence of str
        Why ways may be left out.
    reason : array [way]
        Row of ``reasons`` for what of the way is not kept.
    length, kept_length : array [way], m
    kept : array [way], bool
        Whether some of the way is kept.

    Returns
    -------
    dict
        Value of the key → ``ways, km, kept_ways, kept_km, left_out``; ``left_out`` maps reasons
        to ``ways`` (not kept at all) and ``km``. Longest first.
    """
    value = extract.tag_codes("way", [key])[:, 0]
    lost = np.where(kept & (length - kept_length <= 1e-9 * length), 0.0, length - kept_length)
    out: dict[str, Any] = {}
    for code in np.unique(value[value != NO_WORD]).tolist():
        own = value == code
        row: dict[str, Any] = {
            "ways": int(own.sum()),
            "km": float(length[own].sum() / 1000),
            "kept_ways": int((own & kept).sum()),
            "kept_km": float(kept_length[own].sum() / 1000),
            "left_out": {},
        }
        gone = own & (~kept | (lost > 0))
        for number in np.unique(reason[gone]).tolist():
            part = gone & (reason == number)
            row["left_out"][reasons[number]] = {
                "ways": int((part & ~kept).sum()),
                "km": float(lost[part].sum() / 1000),
            }
        out[str(extract.word[code])] = row
    return dict(sorted(out.items(), key=lambda item: (-item[1]["km"], item[0])))


def total(rows: dict[str, Any]) -> dict[str, Any]:
    """Return the sums over an account."""
    parts = [part for row in rows.values() for part in row["left_out"].values()]
    return {
        "ways": sum(row["ways"] for row in rows.values()),
        "km": float(sum(row["km"] for row in rows.values())),
        "kept_ways": sum(row["kept_ways"] for row in rows.values()),
        "kept_km": float(sum(row["kept_km"] for row in rows.values())),
        "left_out_ways": sum(part["ways"] for part in parts),
        "left_out_km": float(sum(part["km"] for part in parts)),
    }
