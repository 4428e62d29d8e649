"""Overpass JSON, a server's answer or a file: ``[out:json]``, ``out body``, ``meta`` or ``geom``.

What ``out geom`` writes beside a way stands in for nodes that are not listed. Members of relations
that are not listed as ways of their own are missing, whatever geometry the relation gives them:
they have no tags.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from cczsim.errors import ColumnError, InputError
from cczsim.osm.extract import ExtractMaker, OsmExtract
from cczsim.osm.selection import take_relation, take_way


def check_answer(answer: Any, where: str, shown: str = "", hint: str = "") -> dict[str, Any]:
    """Return an answer that is whole.

    Raises
    ------
    InputError
        It has no elements, or a remark, which Overpass adds to what it had to break off.
    """
    if not isinstance(answer, dict) or not isinstance(answer.get("elements"), list):
        raise InputError.of(
            where, repr(shown[:80]) if shown else "something else",
            "Overpass JSON with a list of elements", hint,
        )  # fmt: skip
    if "remark" in answer:
        raise InputError.of(
            where, f"the remark {answer['remark']!r}", "a whole answer",
            "ask for a smaller area or a longer timeout",
        )  # fmt: skip
    return answer


def extract_of(answers: Iterable[Mapping[str, Any]], where: str) -> OsmExtract:
    """Return what networks are made of from whole answers; what they share counts once.

    Raises
    ------
    InputError
        An element lacks what it must have.
    """
    seen: set[tuple[str, int]] = set()
    maker = ExtractMaker()
    nodes: list[Mapping[str, Any]] = []
    drawn: dict[int, tuple[float, float]] = {}
    try:
        for answer in answers:
            for item in answer["elements"]:
                key = (str(item["type"]), int(item["id"]))
                if key in seen:
                    continue
                seen.add(key)
                if key[0] == "node":
                    nodes.append(item)
                elif key[0] == "way":
                    refs = item.get("nodes", [])
                    take_way(maker, key[1], refs, item.get("tags", {}))
                    for ref, place in zip(refs, item.get("geometry") or [], strict=False):
                        if place is not None:
                            drawn.setdefault(int(ref), (float(place["lon"]), float(place["lat"])))
                elif key[0] == "relation":
                    members = [(m["type"], m["ref"], m["role"]) for m in item.get("members", [])]
                    take_relation(maker, key[1], members, item.get("tags", {}))
        for item in nodes:
            tags = item.get("tags", {}).items()
            maker.add_node(int(item["id"]), float(item["lon"]), float(item["lat"]), tags)
        listed = {int(item["id"]) for item in nodes}
        for ref, (lon, lat) in drawn.items():
            if ref not in listed:
                maker.add_node(ref, lon, lat)
        return maker.extract()
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError, ColumnError) as error:
        raise InputError.of(
            where, f"an element that cannot be read ({type(error).__name__}: {error})",
            "Overpass JSON elements with type, id and lat, lon or nodes",
        ) from error  # fmt: skip


def read_overpass_file(path: Path) -> OsmExtract:
    """Read a file that an Overpass server wrote.

    Raises
    ------
    InputError
        It is no JSON, or no whole answer.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        answer = json.loads(text)
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise InputError.of(str(path), f"no JSON ({error})", "Overpass JSON") from error
    hint = "GeoJSON has no nodes and relations: export the data as Overpass JSON or XML"
    return extract_of([check_answer(answer, str(path), text, hint)], str(path))
