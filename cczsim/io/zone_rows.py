"""Zones before they are tied to streets, and what all kinds of zones share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from cczsim.columns import Array
from cczsim.errors import FaultCollector, InputError
from cczsim.io.recipe import Recipe
from cczsim.io.zone_tables import Record, labels
from cczsim.network.geometry import local_crs, project
from cczsim.network.zone_people import join_small
from cczsim.network.zones import TIERS

SERVICES = ("schools", "hospitals")
"""Places that people go to, beside jobs."""


@dataclass(frozen=True, eq=False)
class ZoneRows:
    """Zones before they are tied to streets; all columns ``[zone]``."""

    ids: Array
    names: list[str]
    district: list[str]
    tier: Array
    lon: Array
    lat: Array
    people: Array
    jobs: Array
    """NaN where there is no column of them."""
    polygons: list[Any] | None
    schools: Array | None = None
    hospitals: Array | None = None
    """Places; None where there is no column of them."""
    report: dict[str, Any] = field(default_factory=dict)

    def places(self, of: Array, n: int) -> dict[str, Array | None]:
        """Return schools and hospitals summed into other zones, ``of`` telling which."""
        return {
            name: None if here is None else np.bincount(of, here, minlength=n)
            for name, here in (("schools", self.schools), ("hospitals", self.hospitals))
        }

    def take(self, rows: Array) -> ZoneRows:
        """Return some of the zones."""
        kept = rows.tolist()
        return replace(
            self,
            ids=self.ids[rows],
            names=[self.names[k] for k in kept],
            district=[self.district[k] for k in kept],
            tier=self.tier[rows],
            lon=self.lon[rows],
            lat=self.lat[rows],
            people=self.people[rows],
            jobs=self.jobs[rows],
            polygons=None if self.polygons is None else [self.polygons[k] for k in kept],
            schools=None if self.schools is None else self.schools[rows],
            hospitals=None if self.hospitals is None else self.hospitals[rows],
        )


def tiers_of(records: Sequence[Record], given: Mapping[str, Any], faults: FaultCollector) -> Array:
    """Return the tiers: one for all, or those of a column."""
    name = given.get("tier")
    if name is None or name in TIERS:
        return np.full(len(records), TIERS.index(name or "none"))
    out = np.full(len(records), TIERS.index("none"))
    for row, (record, text) in enumerate(zip(records, labels(records, name), strict=True)):
        if text in TIERS:
            out[row] = TIERS.index(text)
        elif text:
            faults.add(f"{record.where}: {name}", repr(text), f"one of {', '.join(TIERS)}")
    return out


def columns(given: Mapping[str, Any], **default: str) -> dict[str, str]:
    """Return the columns that must be there: those named, and those without which none can do."""
    wanted = ("id", "name", "population", "jobs", "district", "schools", "hospitals")
    named = {k: given[k] for k in wanted if k in given}
    if "tier" in given and given["tier"] not in TIERS:
        named["tier"] = given["tier"]
    return default | named


def with_jobs(
    zones: ZoneRows, recipe: Recipe, given: Mapping[str, Any]
) -> tuple[ZoneRows, tuple[str, ...]]:
    """Return the zones with jobs, and a note where these are assumed.

    Raises
    ------
    InputError
        There is neither a column of jobs nor a number for each resident.
    """
    if np.isfinite(zones.jobs).all():
        return replace(zones, report=zones.report | {"jobs_source": "table"}), ()
    if "jobs_per_resident" not in given:
        raise InputError.of(
            f"{recipe.path}: zones", "no column of jobs",
            "zones.jobs, the name of one, or zones.jobs_per_resident",
        )  # fmt: skip
    rate = float(given["jobs_per_resident"])  # 4
    note = f"Jobs are assumed: {rate:g} for each resident of a zone."
    report = zones.report | {"jobs_source": f"assumed, {rate:g} a resident"}
    return replace(zones, jobs=rate * zones.people, report=report), (note,)


def joined(zones: ZoneRows, least: float) -> ZoneRows:
    """Return the zones without the small ones, whose people join the nearest others (5)."""
    crs = local_crs(float(zones.lon.mean()), float(zones.lat.mean()))
    weight = zones.people + zones.jobs
    to = join_small(weight, *project(zones.lon, zones.lat, crs), least)
    kept = np.flatnonzero(to == np.arange(len(to)))
    moved = to != np.arange(len(to))
    report = zones.report | {
        "zones_joined_to_others": int(moved.sum()),
        "residents_joined_to_others": float(zones.people[moved].sum()),
    }
    people = np.bincount(to, zones.people, minlength=len(to))
    jobs = np.bincount(to, zones.jobs, minlength=len(to))
    changed: dict[str, Any] = {"people": people, "jobs": jobs, **zones.places(to, len(to))}
    return replace(replace(zones, **changed).take(kept), report=report)
