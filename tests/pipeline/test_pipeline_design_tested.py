"""``cczsim design --choose benefit``: the same streets, whoever tests them."""

from __future__ import annotations

from pathlib import Path

import pytest

from cczsim.cli import main
from cczsim.io.bundle import save_network
from cczsim.io.scenario_file import read_scenario
from tests.scenario.grid_case import grid

BASE = """cczsim = 1
title = "Base"
network = "grid"
year = 2020
[assignment]
relative_gap = 1e-3
demand_residual = "0.1 %"
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    save_network(grid(), folder / "grid")
    (folder / "base.toml").write_text(BASE, encoding="utf-8")
    return folder


def design(study: Path, out: str, *more: str) -> str:
    words = ["design", str(study / "base.toml"), "--area", "central", "--target", "+30 %"]
    words += ["--choose", "benefit", "--bundles", "4", "--max-block", "1000 ha", "--quiet"]
    page = ["--page", str(study / f"{out}.html")]
    assert main([*words, "--out", str(study / f"{out}.toml"), *page, *more]) == 0
    return (study / f"{out}.toml").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def alone(study: Path) -> str:
    return design(study, "alone")


def test_bundles_are_changes_of_a_scenario_and_stand_on_the_page(study: Path, alone: str) -> None:
    spec = read_scenario(study / "alone.toml")
    assert all(change.id_.startswith("bundle-") for change in spec.changes)
    page = (study / "alone.html").read_text(encoding="utf-8")
    assert "by as many kilometres chosen by length alone" in page
    assert "每公里节省" in page


def test_processes_change_no_street(study: Path, alone: str) -> None:
    assert design(study, "two", "--workers", "2", "--threads", "2") == alone


def test_a_cluster_changes_no_street(study: Path, alone: str) -> None:
    distributed = pytest.importorskip(
        "distributed", reason="Dask is not installed: pip install 'cczsim[cluster]'"
    )
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        assert design(study, "cluster", "--cluster", cluster.scheduler_address) == alone
