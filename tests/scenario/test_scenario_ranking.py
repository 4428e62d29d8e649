"""Rankings by pencil and paper."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cczsim.columns import Array
from cczsim.errors import ScenarioError
from cczsim.scenario.ranking import Ranking, rank_options


def ranked(values: list[list[float]], bound: float = 0.0, better: int = -1) -> Ranking:
    table = np.array(values)[:, :, None]
    return rank_options(table, np.full(table.shape, bound), np.array([better]))


def test_by_pencil_and_paper() -> None:
    found = ranked([[10.0, 20.0], [12.0, 17.0], [30.0, 30.0]])
    a, b, c = found.figures[0]
    assert [f.mean for f in (a, b, c)] == [15.0, 14.5, 30.0]
    assert found.leader == (1,)
    assert [f.place for f in (a, b, c)] == [2, 1, 3]
    assert [f.best for f in (a, b, c)] == [0.5, 0.5, 0.0]
    assert [f.regret for f in (a, b, c)] == [1.5, 1.0, 16.5]
    assert [f.worst_regret for f in (a, b, c)] == [3.0, 2.0, 20.0]
    assert (a.behind, b.behind) == (0.5, 0.0)
    assert a.error == pytest.approx(np.std([-2.0, 3.0], ddof=1) / 2**0.5)
    assert found.dominated_by == ((), (), (0, 1))
    assert found.front == (1,)


def test_a_difference_within_the_gaps_is_a_tie() -> None:
    found = ranked([[10.0, 20.0], [10.5, 20.5], [14.0, 24.0]], bound=0.3)
    a, b, c = found.figures[0]
    assert [f.place for f in (a, b, c)] == [1, 1, 3]
    assert (a.best, b.best, a.tied, b.tied) == (0.5, 0.5, 1.0, 1.0)
    assert (a.regret, b.regret, b.ties_leader, c.ties_leader) == (0.0, 0.0, True, False)
    assert found.front == (0, 1)
    assert found.dominated_by == ((), (), (0, 1))


def test_more_may_be_better_and_figures_may_disagree() -> None:
    values = np.array(
        [[[1.0, 5.0], [2.0, 5.0]], [[2.0, 9.0], [3.0, 9.0]], [[0.5, 9.5], [1.0, 9.5]]]
    )
    found = rank_options(values, np.zeros(values.shape), np.array([1, -1]))
    assert found.leader == (1, 0)
    assert found.front == (0, 1)
    assert found.dominated_by == ((), (), (0, 1))


def test_samples_without_all_figures_are_left_out() -> None:
    found = ranked([[1.0, np.nan, 3.0], [2.0, 2.0, 2.0]])
    assert (found.used, found.left_out) == (2, 1)
    assert found.figures[0][0].mean == 2.0
    with pytest.raises(ScenarioError, match="no sample"):
        ranked([[np.nan], [1.0]])


@given(
    st.integers(1, 5), st.integers(1, 7), st.integers(1, 3), st.integers(0, 10**6),
    st.sampled_from([0.0, 0.2, 5.0]),
)  # fmt: skip
def test_what_always_holds(options: int, samples: int, keys: int, seed: int, bound: float) -> None:
    random = np.random.default_rng(seed)
    values: Array = random.integers(0, 6, (options, samples, keys)).astype(float)
    found = rank_options(values, np.full(values.shape, bound), np.array([1, -1, 1][:keys]))
    for k, rows in enumerate(found.figures):
        assert sum(row.best for row in rows) == pytest.approx(1.0)
        assert rows[found.leader[k]].place == 1
        assert all(row.behind >= -1e-12 and row.worst_regret >= row.regret >= 0 for row in rows)
    for o, by in enumerate(found.dominated_by):
        assert all(o not in found.dominated_by[p] for p in by)
    if bound == 0.0:
        assert found.front
