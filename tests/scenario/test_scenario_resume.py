"""A solver that goes on from any state it was in ends with the bits of one that was left alone."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from grid_case import ridden_grid
from test_scenario_modes import CROWDED, everywhere

from cczsim.assignment.elastic import ALGORITHMS, ElasticParams
from cczsim.assignment.equilibrium import ModeState, mode_equilibrium
from cczsim.assignment.result import ModeEquilibrium
from cczsim.assignment.transit_params import TransitParams
from cczsim.io import checkpoints
from cczsim.io.checkpoints import Checkpoints


def bits(found: ModeEquilibrium) -> str:
    """A digest of all but the seconds."""
    road = replace(found.road, history=tuple(replace(r, seconds=0.0) for r in found.road.history))
    transit = found.transit
    if transit is not None:
        history = tuple(replace(r, seconds=0.0) for r in transit.history)
        transit = replace(transit, history=history)
    rounds = tuple(replace(r, seconds=0.0) for r in found.rounds)
    whole = replace(found, road=road, transit=transit, rounds=rounds)
    digest = hashlib.sha256()
    for name, array in checkpoints._arrays(whole).items():
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize(
    ("algorithm", "transit"),
    [(name, TransitParams()) for name in ALGORITHMS] + [(n, CROWDED) for n in ("b", "bfw")],
)
def test_every_state_leads_to_the_same_bits(
    tmp_path: Path, algorithm: str, transit: TransitParams
) -> None:
    network = ridden_grid()
    crowded = transit.crowding != "off"
    trips = everywhere(network, 800.0 if crowded else 3000.0)
    params = ElasticParams(algorithm, 1e-10, 1e-8, max_iterations=6)
    kept = Checkpoints(tmp_path)
    names: list[str] = []

    def keep(state) -> None:
        names.append(f"{len(names)}")
        kept.keep(names[-1], "1" * 64, state())

    words = {"params": params, "transit_gap": 1e-2, "max_rounds": 2}
    whole = bits(mode_equilibrium(network, trips, None, transit, **words, on_state=keep))
    assert len(names) >= 2
    # What is loaded must be all there is: nothing of the run that made it is at hand.
    chosen = names if len(names) < 6 else names[:: len(names) // 5]
    parts = set()
    for name in chosen:
        start = kept.find(name, "1" * 64)
        assert isinstance(start, ModeState)
        parts.add("lines" if start.solved is not None else "roads")
        again = mode_equilibrium(network, trips, None, transit, **words, start=start)
        assert bits(again) == whole, name
    assert parts == ({"roads", "lines"} if crowded else {"roads"})
