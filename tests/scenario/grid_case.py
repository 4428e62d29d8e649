"""The grid of the tests as a network that scenarios can change."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

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
