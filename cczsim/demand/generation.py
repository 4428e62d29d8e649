"""Trips that begin and end in each zone in the modelled hour."""

from __future__ import annotations

import numpy as np

from cczsim.columns import Array
from cczsim.demand.params import DemandParams
from cczsim.errors import DemandError


def generate(
    population: Array, jobs: Array, params: DemandParams, share: Array | float = 1.0
) -> tuple[Array, Array]:
    """Return productions and attractions.

    Production = residents x trip rate x peak share. Attractions share the same total: a part by
    jobs, the rest by residents.

    Parameters
    ----------
    population, jobs : array [zone]
    params : DemandParams
    share : array [zone], optional
        Share of each zone's trips that is modelled.

    Returns
    -------
    production, attraction : array [zone], trips/h

    Raises
    ------
    DemandError
        Nobody lives in any zone.
    """
    residents, work = np.asarray(population) * share, np.asarray(jobs) * share
    production = residents * params.trip_rate * params.peak_share
    total = float(production.sum())
    if not total > 0.0:
        raise DemandError.of("zones", "no residents in any zone", "zones with a population")
    people = residents / float(residents.sum())
    all_jobs = float(work.sum())
    work = work / all_jobs if all_jobs > 0.0 else people
    return production, total * (params.job_pull * work + (1.0 - params.job_pull) * people)
