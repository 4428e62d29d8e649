"""Samples of what is not known: points of a low-discrepancy design, the same for every option.

Source: I. M. Sobol' (1967), with the scrambling of A. B. Owen (1998), as ``scipy.stats.qmc`` does
it; Latin hypercubes by M. D. McKay et al. (1979). Point ``k`` of a Sobol' design hangs on the seed
and the number of ranges only, so that a study may be made longer without losing a sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from cczsim.errors import ScenarioError
from cczsim.scenario.uncertainty import Uncertain

DESIGNS: Final = ("sobol", "lhs")
_MOST: Final = 1 << 20


def draw(
    ranges: Mapping[str, Uncertain], samples: int, seed: int = 0, design: str = "sobol"
) -> tuple[dict[str, float], ...]:
    """Return the values of each sample by name of their range, in SI.

    Raises
    ------
    ScenarioError
        A number of samples or a design that cannot be drawn.
    """
    from scipy.stats import qmc

    if not 1 <= samples <= _MOST:
        raise ScenarioError.of("samples", f"{samples}", f"1 to {_MOST}")
    if design not in DESIGNS:
        raise ScenarioError.of("design", repr(design), "one of " + ", ".join(DESIGNS))
    if seed < 0:
        raise ScenarioError.of("seed", f"{seed}", "0 or more")
    if not ranges:
        return ({},)
    random = np.random.default_rng(seed)
    if design == "sobol":
        engine = qmc.Sobol(len(ranges), scramble=True, rng=random)
        points = engine.random_base2(int(np.ceil(np.log2(samples))))[:samples]
    else:
        points = qmc.LatinHypercube(len(ranges), rng=random).random(samples)
    columns = {name: item.at(points[:, k]) for k, (name, item) in enumerate(ranges.items())}
    return tuple({name: float(column[row]) for name, column in columns.items()}
                 for row in range(samples))  # fmt: skip
