"""Set two results side by side, and say which differences the gaps could explain.

At a relative gap g, the flows of a run are not the equilibrium's: its total cost is above that of
the cheapest paths by g × TSTT. A figure that is made of times or flows on roads can be off by
about that share. So a difference counts only where it exceeds the sum of both runs' bounds,

    bound = share × |value|,   share = relative gap + demand residual   of each run,

which is exact to first order for total time and a stated yardstick for the others: link flows can
be off by more where paths cost nearly the same, and less where they do not. Figures that do not
come from the assignment (lengths, densities, people) have no bound: any difference counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cczsim.indicators.indicator import Indicator
from cczsim.scenario.result import RunResult

NOT_ASSIGNED: Final = frozenset(
    {"road_density", "road_length", "population", "jobs", "area", "building_cost"}
)
_ROUNDING: Final = 1e-12


@dataclass(frozen=True)
class ComparisonRow:
    """One figure of two results.

    Parameters
    ----------
    a, b : float
        NaN where a result does not have the figure.
    bound : float
        How far the gaps could move ``b - a``, in ``unit``.
    explained_by_gap : bool
        Whether the difference is within the bound, so that it says nothing. False where the
        figures are equal or one is missing.
    """

    key: str
    by: Mapping[str, str]
    unit: str
    a: float
    b: float
    bound: float
    explained_by_gap: bool

    @property
    def path(self) -> str:
        """Key and restriction in one word."""
        return Indicator(self.key, self.b, self.unit, dict(self.by)).path

    @property
    def difference(self) -> float:
        """Second minus first."""
        return self.b - self.a

    @property
    def share(self) -> float:
        """Difference as a share of the first; NaN where that is 0 or missing."""
        return self.difference / abs(self.a) if self.a else math.nan


@dataclass(frozen=True)
class Comparison:
    """Two results side by side; rows in the order of the first, then what only the second has."""

    a: str
    b: str
    rows: tuple[ComparisonRow, ...]
    noise_a: float
    noise_b: float


def compare_indicators(
    a: str, b: str, first: Sequence[Indicator], second: Sequence[Indicator],
    noise_a: float, noise_b: float,
) -> Comparison:  # fmt: skip
    """Compare two sets of indicators.

    Parameters
    ----------
    a, b : str
        Names of the results.
    noise_a, noise_b : float
        Relative gap plus demand residual of each.
    """
    left = {item.path: item for item in first}
    right = {item.path: item for item in second}
    rows = []
    for path in dict.fromkeys((*left, *right)):
        one, two = left.get(path), right.get(path)
        item = two or one
        assert item is not None
        va = one.value if one is not None else math.nan
        vb = two.value if two is not None else math.nan
        bound = 0.0
        if item.key not in NOT_ASSIGNED and math.isfinite(va) and math.isfinite(vb):
            bound = noise_a * abs(va) + noise_b * abs(vb)
        gap = abs(vb - va)
        noise = bound > 0.0 and _ROUNDING * max(abs(va), abs(vb)) < gap <= bound
        rows.append(ComparisonRow(item.key, item.by, item.unit, va, vb, bound, noise))
    return Comparison(a, b, tuple(rows), noise_a, noise_b)


@dataclass(frozen=True)
class Apart:
    """Of how many figures the gaps cannot explain that two results differ.

    Parameters
    ----------
    a, b : str
        Names of the results.
    beyond, of : int
        Figures that differ by more than the gaps can explain, of those that have a bound.
    times : float
        The least of these differences over its bound; NaN where there is none.
    """

    a: str
    b: str
    beyond: int
    of: int
    times: float


def apart(comparison: Comparison, wanted: Sequence[tuple[str, Mapping[str, str]]]) -> Apart:
    """Return how far two results lie apart in some figures.

    Parameters
    ----------
    wanted : sequence of (key, by)
    """
    named = {(key, tuple(sorted(by.items()))) for key, by in wanted}
    rows = [
        row
        for row in comparison.rows
        if (row.key, tuple(sorted(row.by.items()))) in named and row.bound > 0.0
    ]
    beyond = [abs(row.difference) / row.bound for row in rows if abs(row.difference) > row.bound]
    least = min(beyond, default=math.nan)
    return Apart(comparison.a, comparison.b, len(beyond), len(rows), least)


def noise(result: RunResult) -> float:
    """Return the share by which a run's gaps may move its figures."""
    found = result.equilibrium
    lines = found.transit.relative_gap if found.transit is not None else 0.0
    demand = max(found.demand_residual, 0.0) + max(found.destination_residual, 0.0)
    return max(found.road.relative_gap, 0.0) + demand + max(lines, 0.0)


def compare(a: RunResult, b: RunResult) -> Comparison:
    """Compare two finished runs; ``a`` is the base."""
    return compare_indicators(a.name, b.name, a.indicators, b.indicators, noise(a), noise(b))
