"""Nested logit: shares, logsums and their limits."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cczsim.demand.mode_choice import WITHIN, choose, composite, gather, nest_scale, within
from cczsim.demand.params import DemandParams
from cczsim.errors import DemandError

NAMES = ("car", "rail", "bus", "walk", "cycle")
COSTS = st.lists(st.floats(0.0, 2e4), min_size=5, max_size=5)
NESTS = st.floats(0.05, 1.0)

ANY_TIME = settings(deadline=None)


def costs_of(values):
    return {name: np.array([value]) for name, value in zip(NAMES, values, strict=True)}


def shares_of(costs, params):
    """The share of each alternative among all trips."""
    top = choose(gather(costs, params), params.choice_scale)
    out = {"car": top["car"]}
    for mode in WITHIN:
        parts = within(mode, costs, params)
        out |= {name: top[mode] * part for name, part in parts.items()}
    return out


def logsum(costs, params):
    return composite(gather(costs, params), params.choice_scale)


@ANY_TIME
@given(COSTS, NESTS, NESTS)
def test_shares_add_up_to_one(values, transit, active):
    params = DemandParams(transit_nest=transit, active_nest=active)
    shares = shares_of(costs_of(values), params)
    assert sum(float(s[0]) for s in shares.values()) == pytest.approx(1.0, abs=1e-12)
    assert all(0.0 <= float(s[0]) <= 1.0 for s in shares.values())


@ANY_TIME
@given(COSTS)
def test_nests_of_scale_one_are_the_multinomial_logit(values):
    params = DemandParams(transit_nest=1.0, active_nest=1.0)
    costs = costs_of(values)
    nested, flat = shares_of(costs, params), choose(costs, params.choice_scale)
    for name in NAMES:
        np.testing.assert_allclose(nested[name], flat[name], rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(
        logsum(costs, params), composite(costs, params.choice_scale), rtol=1e-9, atol=1e-6
    )


@ANY_TIME
@given(COSTS, NESTS, NESTS)
def test_shares_are_the_slopes_of_the_logsum(values, transit, active):
    """By Williams (1977): what a second on an alternative costs all is the share that takes it."""
    params = DemandParams(transit_nest=transit, active_nest=active)
    costs = costs_of(values)
    shares = shares_of(costs, params)
    step = 0.05
    for name in NAMES:
        up, down = ({**costs, name: costs[name] + d} for d in (step, -step))
        slope = (logsum(up, params) - logsum(down, params)) / (2.0 * step)
        np.testing.assert_allclose(slope, shares[name], atol=1e-5)


@ANY_TIME
@given(COSTS, NESTS, st.floats(-500.0, 500.0))
def test_what_all_pay_moves_nobody(values, transit, extra):
    params = DemandParams(transit_nest=transit)
    costs = costs_of(values)
    dearer = {name: cost + extra for name, cost in costs.items()}
    before, after = shares_of(costs, params), shares_of(dearer, params)
    for name in NAMES:
        np.testing.assert_allclose(after[name], before[name], rtol=1e-6, atol=1e-12)


@ANY_TIME
@given(COSTS, NESTS, st.sampled_from(NAMES), st.floats(1.0, 5e3))
def test_a_dearer_alternative_loses_and_no_other_does(values, transit, name, extra):
    params = DemandParams(transit_nest=transit)
    costs = costs_of(values)
    before = shares_of(costs, params)
    after = shares_of({**costs, name: costs[name] + extra}, params)
    for other in NAMES:
        sign = 1.0 if other == name else -1.0
        assert sign * float((before[other] - after[other])[0]) >= -1e-12


def test_of_nests_near_zero_all_take_the_cheaper_and_the_logsum_is_its_cost():
    params = DemandParams(transit_nest=1e-3)
    costs = costs_of([900.0, 1200.0, 1300.0, 2000.0, 1500.0])
    assert within("transit", costs, params)["rail"][0] == pytest.approx(1.0)
    assert gather(costs, params)["transit"][0] == pytest.approx(1200.0)


def test_a_duplicate_in_a_narrow_nest_is_worth_little():
    """The red bus and the blue bus."""
    values = [900.0, 1200.0, 1200.0, 2000.0, 1500.0]
    alone = costs_of(values) | {"bus": np.array([np.inf])}
    for share in (1.0, 0.1):
        params = DemandParams(transit_nest=share)
        gained = logsum(alone, params) - logsum(costs_of(values), params)
        top = choose(gather(alone, params), params.choice_scale)["transit"]
        worth = nest_scale("transit", params) * np.log(2.0)
        # Within the nest the second bus is worth scale x ln 2; above, its share of that or more.
        assert top[0] * worth <= gained[0] <= worth


def test_an_alternative_that_is_not_there_is_left_out_and_a_nest_may_be_empty():
    params = DemandParams()
    costs = costs_of([900.0, np.inf, np.inf, 2000.0, np.inf])
    shares = shares_of(costs, params)
    assert shares["rail"][0] == shares["bus"][0] == shares["cycle"][0] == 0.0
    assert sum(float(s[0]) for s in shares.values()) == pytest.approx(1.0)
    nobody = {name: np.array([np.inf]) for name in NAMES}
    assert all(share[0] == 0.0 for share in shares_of(nobody, params).values())
    assert logsum(nobody, params)[0] == np.inf


def test_modes_that_are_not_divided_stay_as_they_are():
    costs = {"car": np.array([1.0]), "transit": np.array([2.0]), "active": np.array([3.0])}
    top = gather(costs, DemandParams())
    assert all(top[mode] is costs[mode] for mode in costs)
    assert within("transit", costs, DemandParams()) == {}


def test_params_refuse_wide_nests_and_unknown_choices():
    with pytest.raises(DemandError) as caught:
        replace(DemandParams(), transit_nest=1.5, active_nest=0.0, transit_choice="trams")
    text = str(caught.value)
    assert "transit_nest" in text
    assert "active_nest" in text
    assert "together, rail or bus" in text
