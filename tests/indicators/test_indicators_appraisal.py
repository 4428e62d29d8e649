"""Surplus against a base: known answers, and both measures beside each other."""

from __future__ import annotations

import numpy as np
import pytest

from cczsim.demand.mode_choice import choose
from cczsim.demand.params import DemandParams
from cczsim.indicators.appraisal import Situation, appraisal_indicators, same_zones
from cczsim.indicators.indicator import find
from tests.report.synthetic_run import make_run


@pytest.fixture(scope="module")
def network():
    return make_run().network


def at(costs, demand, n):
    trips = np.full((n, n), 10.0)
    shares = choose(costs, demand.choice_scale)
    return Situation({m: trips * s for m, s in shares.items()}, costs, dict(costs))


def by(indicators, key, **restriction):
    return find(tuple(indicators), key, **restriction).value


def test_one_mode_gains_what_its_trips_save(network):
    demand, n = DemandParams(), network.zones.n_zones
    before = at({"car": np.full((n, n), 900.0)}, demand, n)
    after = at({"car": np.full((n, n), 600.0)}, demand, n)
    found = appraisal_indicators(network, before, after, demand)
    inside = int(network.zones.inside.sum())
    hours = inside * (n - 1) * 10.0 * 300.0 / 3600.0
    for kind in ("logsum", "half"):
        assert by(found, "surplus_hours", area="all", by=kind) == pytest.approx(hours)
    assert by(found, "surplus", area="all") == pytest.approx(hours * demand.value_of_time)
    assert by(found, "time_saved", area="all", mode="car") == pytest.approx(hours)
    assert by(found, "winners") == pytest.approx(100.0)
    assert by(found, "losers") == 0.0
    tiers = [i.value for i in found if i.key == "surplus" and "tier" in i.by]
    everywhere = n * (n - 1) * 10.0 * 300.0 / 3600.0
    assert sum(tiers) == pytest.approx(everywhere * demand.value_of_time)


def test_the_rule_of_a_half_nears_the_logsum(network):
    """The difference falls with the square of the change and faster."""
    demand, n = DemandParams(), network.zones.n_zones
    rng = np.random.default_rng(1)
    base = {m: rng.uniform(600.0, 2400.0, (n, n)) for m in ("car", "transit", "active")}
    apart = []
    for change in (400.0, 40.0):
        better = base | {"transit": base["transit"] - change}
        found = appraisal_indicators(network, at(base, demand, n), at(better, demand, n), demand)
        logsum = by(found, "surplus_hours", area="all", by="logsum")
        assert logsum > 0.0
        apart.append(abs(by(found, "surplus_hours", area="all", by="half") / logsum - 1.0))
    assert apart[0] < 0.02
    assert apart[1] < apart[0] / 20.0


def test_what_a_mode_did_not_serve_counts_in_the_logsum_alone(network):
    demand, n = DemandParams(), network.zones.n_zones
    none, some = np.full((n, n), np.inf), np.full((n, n), 900.0)
    before = at({"car": some, "transit": none}, demand, n)
    after = at({"car": some, "transit": some}, demand, n)
    found = appraisal_indicators(network, before, after, demand)
    inside = int(network.zones.inside.sum())
    hours = inside * (n - 1) * 10.0 * demand.choice_scale * np.log(2.0) / 3600.0
    assert by(found, "surplus_hours", area="all", by="logsum") == pytest.approx(hours)
    assert by(found, "surplus_hours", area="all", by="half") == 0.0


def test_other_zones_do_not_compare(network):
    assert same_zones((network, network))
    fewer = network.replace(zones=network.zones.replace(zone_id=network.zones.zone_id + 1))
    assert not same_zones((network, fewer))
    assert not same_zones((network, network.replace(zones=None)))


def test_fares_add_up_over_modes_and_tiers_and_zones_share_the_surplus(network):
    from cczsim.assignment.equilibrium import mode_equilibrium
    from cczsim.assignment.transit_params import TransitParams
    from cczsim.indicators.appraisal import revenue_indicators, surplus_by_zone
    from tests.scenario.test_scenario_nested import with_bus

    demand, n = DemandParams(), network.zones.n_zones
    ridden = with_bus()
    found = mode_equilibrium(ridden, np.full((n, n), 30.0), demand)
    fares = revenue_indicators(ridden, found, demand, TransitParams())
    whole = by(fares, "fare_revenue", area="all")
    assert whole > 0.0
    for part in ("tier", "transit_mode"):
        values = [i.value for i in fares if i.key == "fare_revenue" and part in i.by]
        assert sum(values) == pytest.approx(whole)
    costs = {m: np.full((n, n), 900.0) for m in ("car", "transit", "active")}
    better = {m: cost.copy() for m, cost in costs.items()}
    better["transit"][0] -= 300.0
    better["car"][1] += 300.0
    before, after = at(costs, demand, n), at(better, demand, n)
    gain = surplus_by_zone(before, after, demand, network.zones.population)
    assert gain[0] > 0.0 > gain[1]
    np.testing.assert_allclose(gain[2:], 0.0, atol=1e-9)
    rows = appraisal_indicators(network, before, after, demand)
    tiers = sum(i.value for i in rows if i.key == "surplus" and "tier" in i.by)
    assert (gain * network.zones.population).sum() == pytest.approx(tiers)
