"""Observed trips by mode, shifted by changes of cost: the incremental form of mode choice.

With P the observed share of a mode of a pair of zones, c0 its cost when it was observed and c its
cost now, the share now is ``P exp(-(c - c0) / scale) / sum over modes`` (the incremental logit;
J. de D. Ortúzar and L. G. Willumsen, 2011, *Modelling Transport*, ch. 7). It is the logit with a
constant for each pair and mode, so it enters the equilibrium as a shift of costs, and the program
stays convex. Cells of 0 are treated after A. Daly, J. Fox, B. Patruni and P. Milthorpe
(2012), Pivoting in travel demand models, *Australasian Transport Research Forum*:

1. observed none, offered when observed: none, whatever the costs (their case 4, normal growth);
2. observed none, not offered then: the model's own share once it is offered (case 2);
3. observed some, not offered then: the network cannot carry them; they go by the pair's other
   modes in proportion, and are counted (deviation: cases 5 and 6 keep them where they are);
4. nothing observed of a pair: nobody travels.

Shifts are levelled so that the logsum over modes that were offered stays the model's own: case 2
weighs a new mode against it, and surplus is measured from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cczsim.columns import Array
from cczsim.demand.mode_choice import MODES, composite


@dataclass(frozen=True)
class Pivot:
    """Shifts of costs by which the model gives what was observed, at the costs of that time.

    Parameters
    ----------
    shift : dict of str to array [zone, zone], s
        By mode; infinite where nobody was observed on a mode that was offered.
    moved : float, trips/h
        Observed on modes that the network did not offer, and given to others.
    lost : float, trips/h
        Observed in pairs of zones that no mode was offered in.
    """

    shift: dict[str, Array]
    moved: float
    lost: float


def carried(observed: Mapping[str, Array], offered: Mapping[str, Array]) -> dict[str, Array]:
    """Return observed trips with those of modes that are not offered given to the pair's others.

    Parameters
    ----------
    observed : mapping of str to array [zone, zone], trips/h
        By mode.
    offered : mapping of str to bool array [zone, zone]
        By mode.
    """
    kept = {mode: np.where(offered[mode], observed[mode], 0.0) for mode in MODES}
    total = np.add.reduce(list(kept.values()))
    every = np.add.reduce([observed[mode] for mode in MODES])
    factor = np.divide(every, total, out=np.ones_like(total), where=total > 0.0)
    return {mode: trips * factor for mode, trips in kept.items()}


def pivot_on(observed: Mapping[str, Array], costs: Mapping[str, Array], scale: float) -> Pivot:
    """Return the shifts for observed trips and the costs that they were observed at.

    Parameters
    ----------
    observed : mapping of str to array [zone, zone], trips/h
        By mode.
    costs : mapping of str to array [zone, zone], s
        By mode, infinite where it was not offered.
    scale : float
        Of the logit between modes, s.
    """
    offered = {mode: np.isfinite(costs[mode]) for mode in MODES}
    kept = {mode: np.where(offered[mode], observed[mode], 0.0) for mode in MODES}
    total = np.add.reduce(list(kept.values()))
    every = np.add.reduce([observed[mode] for mode in MODES])
    level = composite(costs, scale)
    shift = {}
    for mode in MODES:
        share = np.divide(kept[mode], total, out=np.zeros_like(total), where=total > 0.0)
        some = share > 0.0
        logged = np.log(np.where(some, share, 1.0))
        own = np.where(offered[mode], costs[mode], 0.0)
        base = np.where(np.isfinite(level), level, 0.0)
        constant = base - scale * logged - own
        chosen = np.where(some, constant, np.where(offered[mode], np.inf, 0.0))
        # Where nothing that can be carried was observed, the model speaks for itself.
        shift[mode] = np.where(total > 0.0, chosen, 0.0)
    unserved = every - total
    nowhere = ~np.logical_or.reduce(list(offered.values()))
    return Pivot(shift, float(unserved[~nowhere].sum()), float(unserved[nowhere].sum()))


def shifted(costs: Mapping[str, Array], pivot: Pivot | None) -> dict[str, Array]:
    """Return costs with the shifts of their modes."""
    if pivot is None:
        return dict(costs)
    return {mode: cost + pivot.shift[mode] for mode, cost in costs.items()}
