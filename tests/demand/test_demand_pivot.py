"""The incremental form: nothing changes where no cost does; cells of 0 as documented."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cczsim.demand.mode_choice import MODES, choose, composite
from cczsim.demand.pivot import pivot_on, shifted

SCALE = 600.0
THREE = st.lists(st.floats(0.01, 1e3), min_size=3, max_size=3)
COSTS = st.lists(st.floats(0.0, 2e4), min_size=3, max_size=3)

ANY_TIME = settings(deadline=None)


def cells(values):
    return {mode: np.array([[value]]) for mode, value in zip(MODES, values, strict=True)}


def shares_at(costs, pivot):
    return [float(choose(shifted(costs, pivot), SCALE)[mode][0, 0]) for mode in MODES]


@ANY_TIME
@given(THREE, COSTS)
def test_where_no_cost_changes_the_observed_shares_stay(observed, costs):
    pivot = pivot_on(cells(observed), cells(costs), SCALE)
    wanted = np.array(observed) / sum(observed)
    np.testing.assert_allclose(shares_at(cells(costs), pivot), wanted, rtol=1e-9)
    assert pivot.moved == pivot.lost == 0.0
    # The level is the model's own, so that surplus is measured from there.
    both = [composite(c, SCALE)[0, 0] for c in (shifted(cells(costs), pivot), cells(costs))]
    assert both[0] == pytest.approx(both[1], abs=1e-6)


@ANY_TIME
@given(THREE, COSTS, st.floats(-3e3, 3e3))
def test_odds_move_by_the_change_of_cost_alone(observed, costs, change):
    pivot = pivot_on(cells(observed), cells(costs), SCALE)
    now = [costs[0] + change, *costs[1:]]
    car, transit, active = shares_at(cells(now), pivot)
    by_hand = observed[0] * np.exp(-change / SCALE)
    total = by_hand + observed[1] + observed[2]
    np.testing.assert_allclose(
        [car, transit, active], np.array([by_hand, observed[1], observed[2]]) / total,
        rtol=1e-8, atol=1e-300,
    )  # fmt: skip


@ANY_TIME
@given(COSTS, COSTS)
def test_on_what_the_model_itself_gives_it_is_the_model(before, after):
    own = {mode: 100.0 * share for mode, share in choose(cells(before), SCALE).items()}
    if min(float(o[0, 0]) for o in own.values()) < 1e-9:
        return
    pivot = pivot_on(own, cells(before), SCALE)
    plain = [float(choose(cells(after), SCALE)[mode][0, 0]) for mode in MODES]
    np.testing.assert_allclose(shares_at(cells(after), pivot), plain, rtol=1e-6, atol=1e-12)


def test_a_mode_nobody_took_stays_empty():
    pivot = pivot_on(cells([5.0, 0.0, 5.0]), cells([900.0, 900.0, 900.0]), SCALE)
    assert shares_at(cells([900.0, 1.0, 900.0]), pivot) == pytest.approx([0.5, 0.0, 0.5])


def test_a_mode_that_is_new_takes_the_models_share():
    before = cells([900.0, np.inf, 1100.0])
    pivot = pivot_on(cells([8.0, 0.0, 2.0]), before, SCALE)
    car, transit, active = shares_at(cells([900.0, 1000.0, 1100.0]), pivot)
    plain = choose(cells([900.0, 1000.0, 1100.0]), SCALE)["transit"][0, 0]
    assert transit == pytest.approx(plain)
    assert car / active == pytest.approx(4.0)


def test_trips_on_a_mode_that_was_not_offered_go_elsewhere_and_are_counted():
    pivot = pivot_on(cells([6.0, 4.0, 2.0]), cells([900.0, np.inf, 1100.0]), SCALE)
    assert pivot.moved == pytest.approx(4.0)
    assert shares_at(cells([900.0, np.inf, 1100.0]), pivot) == pytest.approx([0.75, 0.0, 0.25])
    nowhere = pivot_on(cells([6.0, 4.0, 2.0]), cells([np.inf] * 3), SCALE)
    assert (nowhere.moved, nowhere.lost) == (0.0, 12.0)


def test_pairs_of_which_nothing_was_observed_are_the_models_own():
    costs = cells([900.0, 1000.0, np.inf])
    pivot = pivot_on(cells([0.0, 0.0, 0.0]), costs, SCALE)
    assert shares_at(costs, pivot) == pytest.approx(
        [float(choose(costs, SCALE)[mode][0, 0]) for mode in MODES]
    )
