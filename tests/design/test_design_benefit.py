"""Tested benefit: a street of Braess is found and named, a good one is taken first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from cczsim.columns import Array
from cczsim.design.benefit import choose_by_benefit, make_bundles
from cczsim.design.costs import StreetType
from cczsim.design.propose import Proposal
from cczsim.design.swaps import Part, Standing, improve, stand
from cczsim.design.trials import Trials, vehicle_hours
from cczsim.network.geometry import polyline_lengths, unproject
from cczsim.network.network import Network, NetworkInfo
from cczsim.network.road import RoadNetwork
from cczsim.network.road_class import CLASS_CODE
from cczsim.network.zones import ZoneSystem

CRS = "+proj=tmerc +lat_0=28.2 +lon_0=113 +datum=WGS84 +units=m"
PLACES = {"o": (-400.0, 0.0), "a": (0.0, 250.0), "b": (0.0, -250.0), "d": (400.0, 0.0),
          "e": (3000.0, 0.0), "f": (3000.0, 900.0)}  # fmt: skip


def network() -> Network:
    """Braess's four streets from o to d, and apart from them a long way round from e to f.

    o-a and b-d take flow / 100 minutes, a-d and o-b take 45 minutes whatever the flow.
    """
    names = list(PLACES)
    x, y = np.array(list(PLACES.values())).T
    lon, lat = unproject(x, y, CRS)
    streets = [("o", "a", 0.01, 4e3 / 60), ("b", "d", 0.01, 4e3 / 60), ("a", "d", 45.0, 1e-6),
               ("o", "b", 45.0, 1e-6), ("e", "f", 20.0, 0.15), ("d", "e", 1.0, 0.15)]  # fmt: skip
    rows = [(names.index(p), names.index(q), t, s) for p, q, t, s in streets]
    rows += [(q, p, t, s) for p, q, t, s in rows]
    tail, head, minutes, slope = map(np.array, zip(*rows, strict=True))
    braess = slope > 1.0
    ends = np.stack([tail, head], axis=1).ravel()
    n = len(rows)
    road = RoadNetwork(
        node_id=np.arange(6), node_lon=lon, node_lat=lat, link_id=np.arange(n), tail=tail,
        head=head, road_class=np.full(n, CLASS_CODE["secondary"]),
        length=polyline_lengths(np.arange(0, 2 * n + 1, 2), lon[ends], lat[ends]),
        free_flow_time=minutes * 60.0,
        # time = 0.01 min (1 + alpha flow / 4000): at 4000 the street takes 40 minutes.
        capacity=np.where(braess, 4000.0, 1e5), alpha=np.where(braess, 3999.0, 1e-9),
        beta=np.ones(n), reverse_link=(np.arange(n) + n // 2) % n,
    )  # fmt: skip
    zones = ZoneSystem(zone_id=[1, 2, 3, 4], centroid=[0, 3, 4, 5])
    return Network(NetworkInfo("braess"), road, zones)


def demand() -> Array:
    trips = np.zeros((4, 4))
    trips[0, 1] = 4000.0
    trips[2, 3] = 500.0
    return trips


def street(a: tuple[float, float], b: tuple[float, float]) -> Proposal:
    far = float(np.hypot(b[0] - a[0], b[1] - a[1]))
    return Proposal("block", a, b, far, far, far * 3e4)


FAST = StreetType.of("tertiary", 4.0, 200 / 3.6)
BRAESS, GOOD = street(PLACES["a"], PLACES["b"]), street(PLACES["e"], (3000.0, 900.0))


@pytest.fixture
def trials() -> Trials:
    return Trials(network(), demand(), FAST, CRS)


def test_before_and_after_the_street_of_braess(trials: Trials) -> None:
    """Half go each way and take 20 + 45 minutes; with the street all take it, and 80 minutes."""
    start = trials.equilibrium(trials.network)
    apart = 500.0 * 20.0 / 60
    assert vehicle_hours(trials.network, start) == pytest.approx(
        4000.0 * 65.0 / 60 + apart, rel=1e-3
    )
    worse = trials.with_streets([BRAESS])
    assert vehicle_hours(worse, trials.equilibrium(worse)) > 4000.0 * 79.0 / 60


def test_the_harmful_street_is_named_and_the_good_one_taken(trials: Trials) -> None:
    # The second way from e to f is as long and takes 16 seconds instead of 20 minutes.
    found = choose_by_benefit(trials, [BRAESS, GOOD], [[0], [1]], length=2_000.0)
    assert found.chosen == (1,)
    (bad,) = found.harmful
    assert bad.bundle == 0
    assert bad.saved < -4000.0 * 14.0 / 60
    assert bad.place[0] == pytest.approx(113.0, abs=1e-4)
    (good,) = found.tested
    assert good.saved == pytest.approx(500.0 * 20.0 / 60, rel=0.05)
    assert found.before - found.after == pytest.approx(good.saved)


def test_an_estimate_is_what_trips_would_save_at_present_costs(trials: Trials) -> None:
    flow = trials.equilibrium(trials.network)
    saved = trials.estimate([GOOD], flow, trials.network)
    assert saved == pytest.approx(500.0 * (20.0 - 0.27) / 60, rel=0.02)
    # Braess's street looks good to whoever does not ask what all will do: 25 minutes a head.
    assert trials.estimate([BRAESS], flow, trials.network) == pytest.approx(
        4000.0 * 25.0 / 60, rel=0.05
    )


def test_a_length_is_kept_to(trials: Trials) -> None:
    found = choose_by_benefit(trials, [GOOD, BRAESS], [[0], [1]], length=500.0)
    assert found.chosen == ()


def test_bundles_hold_neighbours_and_every_street_once() -> None:
    random = np.random.default_rng(1)
    at = random.uniform(0, 10_000, (120, 2))
    streets = [street((float(x), float(y)), (float(x) + 200.0, float(y))) for x, y in at]
    bundles = make_bundles(streets, 8)
    assert sorted(row for rows in bundles for row in rows) == list(range(120))
    assert len(bundles) == 8
    assert all(rows == sorted(rows) for rows in bundles)
    hung = [replace(s, root=k // 10) for k, s in enumerate(streets)]
    together = make_bundles(hung, 4)
    for root in range(12):
        assert sum(any(hung[r].root == root for r in rows) for rows in together) == 1
    assert make_bundles(streets[:1], 8) == [[0]]
    assert make_bundles([], 8) == []


def test_a_swap_takes_back_what_greed_took_too_early(trials: Trials) -> None:
    """A choice that began with Braess's street makes room for the good one, by a swap."""
    streets, bundles = [BRAESS, GOOD], [[0], [1]]
    poor = stand(trials, streets, (Part(0, (0,)),), None)
    filler = street((3000.0, 0.0), (3400.0, 0.0))
    streets.append(filler)
    bundles.append([2])
    poor = stand(trials, streets, (Part(2, (2,)), Part(0, (0,))), None)

    def bench(many: Sequence[tuple[Part, ...]], near: Standing) -> list[Standing]:
        return [stand(trials, streets, parts, near.start) for parts in many]

    room = BRAESS.inside + GOOD.inside + filler.inside - 1.0
    better, swaps = improve(
        trials, streets, bundles, poor, [1], room, np.inf, bench, on_nothing
    )  # fmt: skip
    (swap,) = swaps
    assert (swap.left, swap.came) == (0, 1)
    assert swap.saved == pytest.approx(poor.hours - better.hours)
    # Braess's street took 4,000 cars 15 minutes more, and the good one saves 500 cars 20.
    assert swap.saved > 4000.0 * 14.0 / 60 + 500.0 * 19.0 / 60
    assert {part.bundle for part in better.parts} == {1, 2}


def on_nothing(_: str) -> None:
    """Hear of a trial."""
