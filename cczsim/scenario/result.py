"""What a run returns: one object that the tables, the maps and the page are made from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cczsim.assignment.result import ModeEquilibrium
from cczsim.columns import Array
from cczsim.indicators.indicator import Indicator
from cczsim.network.network import Network


@dataclass(frozen=True)
class Weight:
    """What an assumption weighs; NaN where that is no number. See :mod:`cczsim.scenario.weights`.

    Parameters
    ----------
    moved : float
        Share of all trips that a tenth more of it would move to another mode or place, or bring
        about or away, before congestion answers.
    car, transit : float
        By what share trips by these modes would change.
    driven : float
        Share of vehicle-kilometres on links where the attribute was guessed.
    """

    moved: float = float("nan")
    car: float = float("nan")
    transit: float = float("nan")
    driven: float = float("nan")


@dataclass(frozen=True)
class Assumption:
    """Something that was set rather than observed.

    Parameters
    ----------
    key : str
        Key of the scenario or recipe, or name of a table.
    value : str
        With its unit.
    source : str
        ``default``, ``scenario``, ``recipe`` or ``table``, with a citation where there is one.
    why : str
        What it stands for, in a sentence.
    weight : Weight, optional
        How much hangs on it, where somebody asked.
    """

    key: str
    value: str
    source: str
    why: str = ""
    weight: Weight | None = None


@dataclass(frozen=True)
class AppliedChange:
    """A change and what it found.

    Parameters
    ----------
    index : int
        Position in the scenario's list of changes.
    kind : str
    summary : str
        One sentence for people.
    counts : dict of str to float
        Links matched, links added, km added, stops added, …
    cost : float
        Building cost, CNY; NaN if none was stated.
    """

    index: int
    kind: str
    summary: str
    counts: dict[str, float] = field(default_factory=dict)
    cost: float = float("nan")


@dataclass(frozen=True)
class LedgerRow:
    """A part of the demand; the rows of one stage add up to its total.

    Parameters
    ----------
    stage : str
        ``generated``, ``mode choice``, ``road assignment``, ``transit assignment``.
    item : str
        ``car``, ``transit``, ``active``, ``intrazonal``, ``unreachable``, ``assigned``, …
    trips : float
        trips/h.
    why : str
    """

    stage: str
    item: str
    trips: float
    why: str = ""


@dataclass(frozen=True)
class Evidence:
    """A figure that stands beside a target without a verdict; ``base`` is NaN without one."""

    key: str
    unit: str
    base: float
    value: float


@dataclass(frozen=True)
class TargetRow:
    """A row of the plan's scoreboard.

    Parameters
    ----------
    key : str
        Key in ``[targets]`` or ``[not_modelled]``.
    label : str
        Empty where the figure's own name says it.
    rule : str
        ``>= 7 km/km2``.
    base, value : float
        In ``unit``; base is NaN without a comparison.
    met : bool or None
        None where the model cannot say.
    margin : float
        How far past the target, in ``unit``; negative if missed.
    assumed : tuple of str
        Keys of the assumptions that the figure hangs on.
    label_zh, rule_zh, why_zh : str
        In Chinese; empty where nothing was said.
    why : str
        Why the model cannot judge it; empty where it can.
    shows : tuple of Evidence
        Figures beside a target that cannot be judged.
    """

    key: str
    label: str
    rule: str
    unit: str
    base: float
    value: float
    met: bool | None
    margin: float
    assumed: tuple[str, ...] = ()
    label_zh: str = ""
    rule_zh: str = ""
    why: str = ""
    why_zh: str = ""
    shows: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class ObservationRow:
    """A figure of the model beside what was observed.

    Parameters
    ----------
    key : str
        Key in ``[observations]``.
    figure : str
        As targets name it.
    unit : str
        Of both values; an hour's figure is brought to a day where the observed one is of a day.
    value, observed : float
    source, source_zh, label, label_zh : str
    """

    key: str
    figure: str
    unit: str
    value: float
    observed: float
    source: str
    source_zh: str = ""
    label: str = ""
    label_zh: str = ""

    @property
    def residual(self) -> float:
        """Return the model's figure over what was observed, less 1; NaN where that is 0."""
        return self.value / self.observed - 1.0 if self.observed else float("nan")


@dataclass(frozen=True)
class RunResult:
    """A finished scenario.

    Parameters
    ----------
    spec : dict
        The resolved scenario, plain values.
    network : Network
        With all changes applied.
    trips : array [zone, zone], trips/h
        Person trips of the modelled hour, all modes.
    zone_access : dict of str to array [zone]
        Figures by zone for the map: ``jobs_45_transit``, ``airport_car`` (s), ``density`` …
    periods : tuple of PeriodRun
        A mean hour of each period of the day, where the scenario has any; figures of the day are
        among ``indicators``.
    """

    name: str
    title: str
    year: int
    spec: dict[str, Any]
    network: Network
    trips: Array
    equilibrium: ModeEquilibrium
    indicators: tuple[Indicator, ...]
    ledger: tuple[LedgerRow, ...]
    changes: tuple[AppliedChange, ...]
    assumptions: tuple[Assumption, ...]
    targets: tuple[TargetRow, ...]
    zone_access: dict[str, Array] = field(default_factory=dict)
    observations: tuple[ObservationRow, ...] = ()
    periods: tuple[PeriodRun, ...] = ()


@dataclass(frozen=True)
class PeriodRun:
    """A mean hour of a period of the day.

    Parameters
    ----------
    name : str
    hours : float
        How many such hours the day has, h.
    result : RunResult
    """

    name: str
    hours: float
    result: RunResult
