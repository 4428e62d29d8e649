"""``cczsim demand estimate``: counts on Sioux Falls, what it writes, and what it refuses."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from cczsim.assignment.algorithm_b import BushParams, assign_bushes
from cczsim.cli import main
from cczsim.io.matrices import read_matrix, write_matrix
from cczsim.io.tntp import read_network, read_trips
from tests.pipeline.test_pipeline_assign_analysis import NET


@pytest.fixture
def small(tmp_path: Path) -> Path:
    here = tmp_path / "数 counts"
    here.mkdir()
    (here / "x_net.tntp").write_text(NET)
    (here / "prior.csv").write_text("origin,destination,trips\n1,2,1000\n")
    return here


def run(here: Path, counts: str, *more: str) -> int:
    (here / "counts.csv").write_text(counts, encoding="utf-8")
    return main([
        "demand", "estimate", str(here / "x_net.tntp"), str(here / "prior.csv"),
        str(here / "counts.csv"), "--out", str(here / "t.omx"), *more,
    ])  # fmt: skip


def test_one_count_between_prior_and_count(small, capsys):
    """One pair, one link: the least of (T - c)² / c + w (T - P)² / P by hand."""
    code = run(small, "from_node,to_node,count\n1,3,1500\n", "--prior-weight", "0.5")
    assert code == 0
    trips = read_matrix(small / "t.omx", np.array([1, 2]))[0, 1]
    a, b = 1 / 1500.0, 0.5 / 1000.0
    assert trips == pytest.approx((a * 1500.0 + b * 1000.0) / (a + b), rel=1e-5)
    assert "GEH" in capsys.readouterr().err


def test_a_sure_count_is_met(small):
    assert run(small, "from_node,to_node,count,sd\n1,3,1500,0.1\n") == 0
    assert read_matrix(small / "t.omx", np.array([1, 2]))[0, 1] == pytest.approx(1500.0, rel=1e-4)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ("from_node,to_node,count\n1,9,5\n", "no link 1 → 9"),
        ("from_node,to_node,count\n3,4,5\n", "2 links"),
        ("from_node,to_node,count\n1,3,5\n1,3,6\n", "again"),
        ("from_node,to_node,count\n1,3,-5\n", "from 0 up"),
        ("from_node,to_node,count\n1,3,\n", "from 0 up"),
        ("from_node,to_node,count\n1,3,many\n", "a number"),
        ("from_node,to_node,count\n", "no counts"),
        ("from_node,to_node\n1,3\n", "no column count"),
        ("from_node,to_node,count,sd\n1,3,5,-1\n", "above 0"),
    ],
)
def test_wrong_counts_end_with_2(small, capsys, counts, words):
    assert run(small, counts) == 2
    assert words in capsys.readouterr().err
    assert not (small / "t.omx").exists()


@pytest.mark.data
def test_sioux_falls_is_found_again(data_dir, tmp_path):
    """Counts made from the known trips, a prior that is off by 30 %, a fifth of counts left out."""
    folder = data_dir / "tntp" / "SiouxFalls"
    net = read_network(folder / "SiouxFalls_net.tntp")
    trips = read_trips(folder / "SiouxFalls_trips.tntp", net.zones.n_zones)
    flow = assign_bushes(net.road, net.zones, trips, params=BushParams(1e-8)).link_flow
    rng = np.random.default_rng(1)
    prior = trips * rng.lognormal(-0.045, 0.3, trips.shape) * rng.uniform(0.7, 1.3, (24, 1))
    write_matrix(prior, net.zones.zone_id, tmp_path / "prior.omx")
    with (tmp_path / "counts.csv").open("w") as file:
        file.write("from_node,to_node,count\n")
        for k in range(net.road.n_links):
            ends = net.road.node_id[net.road.tail[k]], net.road.node_id[net.road.head[k]]
            file.write(
                f"{ends[0]},{ends[1]},{flow[k]!r}\n".replace("np.float64(", "").replace(")", "")
            )
    code = main([
        "demand", "estimate", str(folder / "SiouxFalls_net.tntp"), str(tmp_path / "prior.omx"),
        str(tmp_path / "counts.csv"), "--out", str(tmp_path / "t.csv"), "--hold-out", "20 %",
        "--prior-weight", "0.01", "--fit", str(tmp_path / "fit.csv"), "--json",
        str(tmp_path / "r.json"),
    ])  # fmt: skip
    assert code == 0
    report = json.loads((tmp_path / "r.json").read_text())
    before, after = report["fit"]["prior"], report["fit"]["estimate"]
    assert before["geh_mean"] > 5.0
    assert after["geh_mean"] < 0.5
    assert after["r2"] > 0.999
    # Flows come nearer where nothing was fitted too, and so do the trips.
    left = report["fit_of_counts_left_out"]
    assert left["estimate"]["counts"] == 15
    assert left["estimate"]["geh_mean"] < 0.5 * left["prior"]["geh_mean"]
    found = read_matrix(tmp_path / "t.csv", net.zones.zone_id)
    assert np.square(found - trips).sum() < 0.8 * np.square(prior - trips).sum()
    assert (
        np.abs(found.sum(1) - trips.sum(1)).sum() < 0.5 * np.abs(prior.sum(1) - trips.sum(1)).sum()
    )
    rows = list(csv.DictReader((tmp_path / "fit.csv").read_text().splitlines()))
    assert len(rows) == net.road.n_links
    assert sum(int(row["left_out"]) for row in rows) == 15
