"""What a design holds, the scenario that it is written to, and what is said of it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cczsim.design.benefit import BenefitPlan, BundleBenefit
from cczsim.design.costs import StreetType
from cczsim.design.propose import Plan
from cczsim.design.site import Site
from cczsim.indicators.conventions import Convention
from cczsim.io.street_scenario import StreetChange, street_scenario
from cczsim.network.network import Network
from cczsim.pipeline.summary import write_line
from cczsim.scenario.spec import ScenarioSpec
from cczsim.scenario.versions import FORMAT
from cczsim.units import show

TOLERANCE: Final = 0.005
KINDS: Final = {
    "block": "streets through large blocks",
    "dead end": "streets that lead on from dead ends",
    "bridge": "streets over what is kept out of",
}


@dataclass(frozen=True)
class Ask:
    """What is asked for in each area: a density (km/km2) or money (CNY)."""

    target: float | None
    rise: float | None
    budget: float | None


@dataclass(frozen=True, eq=False)
class Benefit:
    """What a tested choice found, and what as many kilometres do that are chosen by length alone.

    Parameters
    ----------
    found : BenefitPlan
    by_length_km : float
    by_length_saved : float
        pce h/h.
    """

    found: BenefitPlan
    by_length_km: float
    by_length_saved: float


@dataclass(frozen=True)
class District:
    """A part of an area: its size (m2), its counted length without and with the streets (m)."""

    name: str
    size: float
    before: float
    after: float


@dataclass(frozen=True, eq=False)
class Designed:
    """An area and the streets that are proposed in it; lengths by the convention, m and m2."""

    name: str
    polygon: Any
    size: float
    before: float
    target: float
    site: Site
    plan: Plan
    benefit: Benefit | None = None
    districts: tuple[District, ...] = ()


def _groups(item: Designed, place: str) -> Iterator[tuple[str, str, list[int]]]:
    """Yield id, words and rows of the streets that are one change together."""
    streets = item.plan.streets
    found = item.benefit.found if item.benefit is not None else None
    if found is None:
        for kind, words in KINDS.items():
            rows = [k for k, s in enumerate(streets) if s.kind == kind]
            if rows:
                yield f"{kind.replace(' ', '-')}-streets{place}", f"{words} in {item.name}", rows
        return
    saved = {t.bundle: t for t in found.tested}
    for bundle in dict.fromkeys(found.bundle):
        for structure in ("ground", "bridge"):
            rows = [k for k, own in enumerate(found.bundle)
                    if own == bundle and streets[k].structure == structure]  # fmt: skip
            if rows:
                end = "-bridges" if structure == "bridge" else ""
                yield f"bundle-{bundle + 1}{end}{place}", benefit_words(saved[bundle]), rows


def district_words(part: District, item: Designed) -> str:
    """Return what a district has and gets, and its share of what the whole area gets, in words."""
    whole = sum(p.after - p.before for p in item.districts)
    share = (part.after - part.before) / whole if whole > 0.0 else 0.0
    return (
        f"{part.name}: {part.before / part.size * 1e3:.3f} → {part.after / part.size * 1e3:.3f} "
        f"km/km2, {(part.after - part.before) / 1e3:.1f} km, {100 * share:.1f} % of the streets"
    )


def benefit_words(tested: BundleBenefit) -> str:
    """Return what a bundle does, in words."""
    lon, lat = tested.place
    effect = "saves" if tested.saved >= 0.0 else "costs"
    does = f"{effect} {abs(tested.saved):,.1f} vehicle-hours an hour"
    if tested.saved != tested.saved:
        does = "what a swap left of it, not tested by itself"
    return (
        f"bundle {tested.bundle + 1} about {lon:.4f} {lat:.4f}: {tested.streets} streets, "
        f"{tested.km:.1f} km, {does}"
    )


def design_text(
    source: Path, spec: ScenarioSpec | None, network: Network, done: Sequence[Designed],
    rules: Convention, street: StreetType, choose: str, out: Path,
) -> str:  # fmt: skip
    """Return the scenario that holds the streets, a change a kind or a tested bundle."""
    start = Path(os.path.relpath(source.resolve(), out.resolve().parent)).as_posix()
    names = ", ".join(item.name for item in done)
    count = sum(len(item.plan.streets) for item in done)
    head: dict[str, Any] = {"cczsim": FORMAT}
    if spec is not None:
        head |= {
            "title": f"{spec.title}, with {count} proposed streets in {names}",
            "title_zh": f"{spec.title_zh or spec.title},另加 {count} 条拟建道路({names})",
            "extends": start, "compare_to": start,
        }  # fmt: skip
    else:
        year = network.info.date[:4]
        head |= {
            "title": f"{network.info.title or network.info.name}: {count} proposed streets",
            "network": start, "year": int(year) if year.isdigit() else 2020,
        }  # fmt: skip
    keys = {
        "class": street.road_class, "lanes": street.lanes, "speed": show(street.speed, "km/h"),
    }  # fmt: skip
    taken = {change.id_ for change in spec.changes} if spec is not None else set()
    changes = []
    for number, item in enumerate(done):
        ends = item.plan.degrees()
        for name, words, rows in _groups(item, f"-{number + 1}" if len(done) > 1 else ""):
            while name in taken:
                name += "-more"
            bridge = item.plan.streets[rows[0]].structure == "bridge"
            own = keys | ({"structure": "bridge"} if bridge else {})
            cost = sum(item.plan.streets[k].cost for k in rows)
            changes.append(StreetChange(name, words, cost, ends[rows], own))
    comments = [
        f"Streets proposed by cczsim design: {choose}, {street.width:g} m wide, {rules.name}.",
        "Each is a straight line between two streets. Building costs are assumed, without land.",
    ]
    return street_scenario(head, comments, changes)


def say_design(
    done: Sequence[Designed], after: Sequence[float], rules: Convention, ask: Ask, out: Path
) -> int:
    """Say what was proposed; return 1 where a target is missed."""
    code = 0
    for item, length in zip(done, after, strict=True):
        before, now = item.before / item.size * 1e3, length / item.size * 1e3
        off = ""
        if ask.budget is None:
            off = f", {100 * (length / item.target - 1.0):+.3f} % of the target"
        write_line(f"{item.name}: {before:.3f} → {now:.3f} km/km2 by {rules.name}{off}")
        for kind, words in KINDS.items():
            own = [s for s in item.plan.streets if s.kind == kind]
            if own:
                km, cost = sum(s.length for s in own) / 1e3, sum(s.cost for s in own)
                write_line(f"  {len(own)} {words}: {km:.1f} km, {cost / 1e9:.3g} billion CNY")
        for part in item.districts:
            write_line(f"  {district_words(part, item)}")
        if item.benefit is not None:
            _say_benefit(item.benefit)
        if item.plan.blocks_unknown:
            said = "blocks left alone for their size: what lies in them is not known"
            write_line(f"  {item.plan.blocks_unknown} {said}")
        if ask.budget is None and abs(length - item.target) > TOLERANCE * item.target:
            aim = item.target / item.size * 1e3
            why = (
                "is what blocks leave room for; allow larger ones with --max-block, or ask for less"
            )
            if length > item.target:
                why = "comes nearest"
            write_line(f"  target not reached: {aim:.3f} km/km2 was asked for, {now:.3f} {why}")
            code = 1
    write_line(f"wrote {out}; now: cczsim run {out}")
    return code


def _say_benefit(benefit: Benefit) -> None:
    found = benefit.found
    for tested in found.tested:
        write_line(f"  {benefit_words(tested)}")
    for swap in found.swaps:
        write_line(
            f"  swap: bundle {swap.came + 1} came for bundle {swap.left + 1}, "
            f"{swap.saved:,.1f} vehicle-hours an hour saved"
        )
    for tested in found.harmful:
        write_line(f"  harmful, not built: {benefit_words(tested)}")
    km = sum(t.km for t in found.tested)
    saved = found.before - found.after
    write_line(
        f"  vehicle-hours an hour {found.before:,.0f} → {found.after:,.0f}; {found.runs} equilibria"
    )
    if km > 0.0 and benefit.by_length_km > 0.0:
        write_line(
            f"  saved a km: {saved / km:.4g} by test, "
            f"{benefit.by_length_saved / benefit.by_length_km:.4g} by length alone"
        )
