"""The grid of the tests as a network that scenarios can change."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np

from cczsim.network.network import Network

_PATH = Path(__file__).resolve().parent.parent / "report" / "synthetic_run.py"


def synthetic() -> ModuleType:
    """The module that makes the grid; loaded by its path, for tests stand in no package."""
    spec = importlib.util.spec_from_file_location("synthetic_run_for_scenarios", _PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def grid() -> Network:
    """A grid of 12 by 12 nodes with nine zones in three tiers and a metro line."""
    network: Network = synthetic().make_run().network
    return network


def ridden_grid() -> Network:
    """The grid with a way from each zone to a stop of its metro line."""
    found = grid()
    assert found.transit is not None
    return found.replace(
        transit=found.transit.replace(
            access_zone=np.arange(9), access_stop=np.array([0, 1, 2, 4, 5, 6, 8, 9, 11]),
            access_time=np.full(9, 120.0),
        )
    )  # fmt: skip
