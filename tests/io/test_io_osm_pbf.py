"""The column reader gives what pyosmium gives, or leaves the file to it."""

from __future__ import annotations

import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import osmium
import pytest

from cczsim.errors import InputError
from cczsim.io.osm_file import _read_with_osmium, read_osm
from cczsim.io.osm_pbf import read_pbf
from cczsim.io.pbf_blocks import StrangeError, signed
from cczsim.osm.extract import OsmExtract

KEYS = ("highway", "railway", "public_transport", "barrier", "name", "building", "名", "route")
VALUES = ("primary", "yes", "station", "gate", "芙蓉路", "ferry", "", "x" * 300)


def plain(extract: OsmExtract) -> dict[str, Any]:
    """An extract as plain values, whatever the order of its words."""
    words = [str(word) for word in extract.word]
    out: dict[str, Any] = {
        name: getattr(extract, name).tolist()
        for name in ("node_id", "node_lon", "node_lat", "way_id", "way_ref_first", "way_ref",
                     "relation_id", "member_first", "member_kind", "member_ref")
    }  # fmt: skip
    for name in ("member_role", "node_tag_key", "node_tag_value", "way_tag_key", "way_tag_value",
                 "relation_tag_key", "relation_tag_value"):  # fmt: skip
        out[name] = [words[code] for code in getattr(extract, name)]
    for kind in ("node", "way", "relation"):
        out[f"{kind}_tag_first"] = getattr(extract, f"{kind}_tag_first").tolist()
    return out | {"left_out": extract.left_out}


def write(path: Path, rng: random.Random, form: str = "pbf", sign: int = 1, n: int = 400) -> None:
    """Write random nodes, ways and relations, as they may stand in a file."""

    def tags() -> dict[str, str]:
        return {rng.choice(KEYS): rng.choice(VALUES) for _ in range(rng.choice((0, 0, 1, 2, 4)))}

    def place() -> tuple[float, float]:
        return (round(rng.uniform(-180, 180), 7), round(rng.uniform(-90, 90), 7))

    some = SimpleNamespace
    with osmium.SimpleWriter(osmium.io.File(str(path), form), overwrite=True) as writer:
        for k in range(1, n):
            writer.add_node(some(id=sign * k * 7, location=place(), tags=tags(), version=3, uid=5))
        for k in range(1, n):
            refs = [sign * 7 * rng.randrange(1, n + 5) for _ in range(rng.randrange(0, 9))]
            writer.add_way(some(id=sign * k * 3, nodes=refs, tags=tags(), version=1))
        kinds = ("restriction", "route", "multipolygon", "site", "restriction:hgv", "")
        for k in range(1, 60):
            members = [(rng.choice("nwr"), sign * rng.randrange(1, 900), rng.choice(VALUES))
                       for _ in range(rng.randrange(0, 6))]  # fmt: skip
            kind = {"type": rng.choice(kinds)} if rng.random() < 0.9 else {}
            writer.add_relation(some(id=sign * k, members=members, tags=tags() | kind))


@pytest.mark.parametrize(
    "form", ["pbf", "pbf,pbf_dense_nodes=false", "pbf,pbf_compression=none",
             "pbf,add_metadata=false", "pbf,locations_on_ways=true"],
)  # fmt: skip
@pytest.mark.parametrize("sign", [1, -1])
def test_random_files_read_alike(tmp_path: Path, form: str, sign: int) -> None:
    path = tmp_path / "random.osm.pbf"
    write(path, random.Random(form), form, sign)
    assert plain(read_pbf(path)) == plain(_read_with_osmium(path))


def test_other_compressions_and_histories_are_left_to_pyosmium(tmp_path: Path) -> None:
    path = tmp_path / "lz4.osm.pbf"
    write(path, random.Random(1), "pbf,pbf_compression=lz4")
    with pytest.raises(StrangeError, match="compression"):
        read_pbf(path)
    assert plain(read_osm(path))["way_id"] == plain(_read_with_osmium(path))["way_id"]
    history = tmp_path / "history.osm.pbf"
    write(history, random.Random(1), "osh.pbf")
    with pytest.raises(StrangeError, match="feature"):
        read_pbf(history)


def test_ids_that_stand_twice(tmp_path: Path) -> None:
    path, some = tmp_path / "twice.osm.pbf", SimpleNamespace
    with osmium.SimpleWriter(str(path)) as writer:
        for ident, place in ((1, (112.9, 28.2)), (2, (112.91, 28.2)), (2, (10.0, 50.0))):
            writer.add_node(some(id=ident, location=place, tags={}))
        for refs in ([1, 2], [2, 1]):
            writer.add_way(some(id=4, nodes=refs, tags={"highway": "primary"}))
    extract = read_pbf(path)
    assert plain(extract) == plain(_read_with_osmium(path))
    assert extract.left_out == {"node": {"id twice": 1}, "way": {"id twice": 1}}
    assert extract.node_lon.tolist() == [112.9, 112.91]
    assert extract.way_ref.tolist() == [1, 2]


def test_damaged_files_are_errors(tmp_path: Path) -> None:
    rng = random.Random(3)
    good, path = tmp_path / "good.osm.pbf", tmp_path / "bad.osm.pbf"
    write(good, rng, "pbf,pbf_compression=none", n=60)
    data = good.read_bytes()
    read = refused = 0
    for _ in range(300):
        bad = bytearray(data)
        if rng.random() < 0.3:
            bad = bad[: rng.randrange(1, len(bad))]
        else:
            for _ in range(rng.randrange(1, 4)):
                bad[rng.randrange(len(bad))] = rng.randrange(256)
        path.write_bytes(bytes(bad))
        try:
            read_osm(path)
            read += 1
        except InputError:
            refused += 1
    assert read > 20
    assert refused > 100


def test_zigzag() -> None:
    values = np.array([0, -1, 1, -2, 2**62, -(2**62), 2**63 - 1, -(2**63)])
    coded = np.array([(v << 1 ^ (v >> 63)) & (2**64 - 1) for v in values.tolist()], dtype=np.uint64)
    assert signed(coded.view(np.int64)).tolist() == values.tolist()


@pytest.mark.data
@pytest.mark.parametrize(
    "name", ["osm/helsinki-centre", "osm/porto-alegre", "osm/changsha-northeast",
             "czt/changsha-streets-2019"],
)  # fmt: skip
def test_real_files_read_alike(data_dir: Path, name: str) -> None:
    path = data_dir / f"{name}.osm.pbf"
    assert plain(read_pbf(path)) == plain(_read_with_osmium(path))
