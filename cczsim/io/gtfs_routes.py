"""Routes of a feed: names, and modes by ``route_type``, the basic ones and the extended ones."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pandas as pd

from cczsim.io.gtfs_tables import Feed, plain, rows_once

_BASIC: Final = {
    0: "tram", 1: "metro", 2: "rail", 3: "bus", 4: "ferry", 5: "tram", 6: "monorail",
    7: "tram", 11: "bus", 12: "monorail",
}  # fmt: skip
# hundreds of the extended types; 400 is refined below; None is no line of public transport.
_EXTENDED: Final = {
    1: "rail", 2: "bus", 3: "rail", 4: "metro", 5: "metro", 6: "metro", 7: "bus", 8: "bus",
    9: "tram", 10: "ferry", 11: None, 12: "ferry", 13: "monorail", 14: "tram", 15: None,
    17: None,
}  # fmt: skip
_SINGLE: Final = {405: "monorail", 713: "bus", 717: None, 1502: None}


def mode_of(route_type: str) -> tuple[str | None, str]:
    """Return the mode of a route type, and what is to be said about it.

    Parameters
    ----------
    route_type : str
        As the feed writes it.

    Returns
    -------
    mode : str or None
        One of ``MODES``; None for what is no line of public transport: air, taxi, horse carriage.
    remark : str
        Empty where the type is plain.
    """
    try:
        kind = int(route_type)
    except ValueError:
        return "bus", "a route_type that is no number, taken as bus"
    if kind in _BASIC:
        mode: str | None = _BASIC[kind]
        strange = {5: "cable tram", 6: "aerial lift", 7: "funicular"}.get(kind, "")
    elif kind in _SINGLE:
        mode, strange = _SINGLE[kind], ""
    elif 100 <= kind < 1800 and kind // 100 in _EXTENDED:
        mode = _EXTENDED[kind // 100]
        strange = {13: "aerial lift", 14: "funicular"}.get(kind // 100, "")
    else:
        return "bus", "an unknown route_type, taken as bus"
    if mode is None:
        return None, "routes by air, by taxi or on demand, left out"
    return mode, f"{strange}, taken as {mode}" if strange else ""


def read_routes(feed: Feed) -> pd.DataFrame:
    """Return the routes of public transport, with ``mode`` and ``label``."""
    table = rows_once(feed.tables["routes.txt"], "route_id", "routes.txt", feed.findings).copy()
    found = [mode_of(str(kind)) for kind in table["route_type"]]
    for remark in sorted({text for _, text in found if text}):
        ids = table["route_id"][[text == remark for _, text in found]]
        what, _, done = remark.rpartition(", ")
        feed.findings.add("routes.txt", what, ids, done)
    table["mode"] = [mode or "" for mode, _ in found]
    label = [
        plain(f"{short} · {long}").strip(" ·") or str(own)
        for short, long, own in zip(
            table["route_short_name"], table["route_long_name"], table["route_id"], strict=True
        )
    ]
    count = Counter(label)
    table["label"] = [
        f"{text} ({own})" if count[text] > 1 else text
        for text, own in zip(label, table["route_id"], strict=True)
    ]
    return table[table["mode"] != ""].reset_index(drop=True)
