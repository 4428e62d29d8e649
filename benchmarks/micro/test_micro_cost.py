"""Costs of all links, their derivative, the objective, and a step length."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from conftest import Instance

from cczsim.assignment.cost import LinkCost
from cczsim.assignment.direction import step_length


@pytest.mark.parametrize("what", ["cost", "derivative", "objective"])
@pytest.mark.parametrize("beta", [4.0, 3.5])
def test_cost(benchmark: Any, instance: Instance, what: str, beta: float) -> None:
    road = instance.road.replace(beta=np.full(instance.road.n_links, beta))
    flow = 0.8 * road.capacity
    benchmark(getattr(LinkCost(road, 1.0, 0.01), what), flow)


def test_step_length(benchmark: Any, instance: Instance) -> None:
    model, flow = LinkCost(instance.road), 0.8 * instance.road.capacity
    along = np.random.default_rng(3).uniform(-0.5, 0.2, len(flow)) * flow
    benchmark(step_length, lambda share: float((model.cost(flow + share * along) * along).sum()))
