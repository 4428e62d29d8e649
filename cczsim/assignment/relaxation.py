"""How far to go towards what was found next, where what is sought is found again from itself.

Aitken's dynamic relaxation for vectors (B. Irons and R. Tuck, 1969, *International Journal for
Numerical Methods in Engineering* 1; U. Küttler and W. Wall, 2008, *Computational Mechanics* 43):
with r the difference between what was found and what it was found from,

    step = - step before x <r before, r - r before> / |r - r before|^2

which is the secant's step along the last change, held between :data:`SHORTEST` and 1, so that sums
over rows and columns that both keep are kept.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cczsim.columns import Array

SHORTEST = 0.2


@dataclass(frozen=True, eq=False)
class Relaxation:
    """Where a fixed-point iteration stands.

    Parameters
    ----------
    at : array
        What is to be found again.
    step : float
        Of the last move; 1 where there was none.
    before : array, optional
        What was found less what it was found from, before the last move.
    """

    at: Array
    step: float = 1.0
    before: Array | None = None

    def towards(self, found: Array) -> Relaxation:
        """Return the next place, on the way from here to what was found from here."""
        ahead = found - self.at
        step = self.step
        if self.before is not None:
            bend = ahead - self.before
            square = float((bend * bend).sum())
            if square > 0.0:
                step = -step * float((self.before * bend).sum()) / square
        step = min(max(step, SHORTEST), 1.0)
        return Relaxation(np.maximum(self.at + step * ahead, 0.0), step, ahead)
