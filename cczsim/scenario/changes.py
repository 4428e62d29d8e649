"""Apply the changes of a scenario: each is an operation with a precondition, in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from cczsim.errors import CczsimError, Fault, FaultCollector, ScenarioError
from cczsim.network.network import Network
from cczsim.scenario import change_density, change_lines, change_people, change_roads
from cczsim.scenario.change_spec import Change
from cczsim.scenario.result import AppliedChange

Effect = tuple[Network, str, dict[str, float], float]
_APPLY: Final[dict[str, Callable[[Network, Any, str], Effect]]] = {
    "links": change_roads.links,
    "road_density": change_density.add_to_density,
    "transit_line": change_lines.transit_line,
    "growth": change_people.growth,
}


def apply_changes(
    network: Network, changes: Sequence[Change], origins: Mapping[str, str] | None = None
) -> tuple[Network, tuple[AppliedChange, ...]]:
    """Return the changed network and what each change found.

    Parameters
    ----------
    network : Network
    changes : sequence of Change
        Applied in order; each sees what the ones before it left.
    origins : mapping, optional
        ``changes[1].select`` to ``file:line``, for messages.

    Raises
    ------
    ScenarioError
        With a fault for every change that could not be applied. A change is tried on what the
        ones before it left, also where one of them failed.
    """
    faults = FaultCollector(ScenarioError)
    faults.extend(_ties(changes, origins or {}))
    applied: list[AppliedChange] = []
    for index, change in enumerate(changes, start=1):
        where = f"changes[{index}]"
        try:
            network, summary, counts, cost = _APPLY[change.kind](network, change, where)
        except CczsimError as error:
            faults.extend(_placed(fault, where, origins or {}) for fault in error.faults)
            continue
        if change.note:
            summary += f" ({change.note})"
        stated = change.cost if change.cost is not None else float("nan")
        total = cost if stated != stated else stated + (0.0 if cost != cost else cost)
        applied.append(AppliedChange(index, change.kind, summary, counts, total))
    faults.raise_if_any()
    return network, tuple(applied)


def _placed(fault: Fault, change: str, origins: Mapping[str, str]) -> Fault:
    """Put file and line before a key that a change names; other places are kept behind them."""
    path = fault.where if fault.where.startswith(change) else ""
    while path and path not in origins:
        path = path.rpartition(".")[0]
    file = origins.get(path) or origins.get(change) or ""
    if file in ("", "default"):
        file = next((o for k, o in origins.items() if k.startswith(change) and o != "default"), "")
    where = fault.where if fault.where.startswith(change) else f"{change}: {fault.where}"
    return Fault(f"{file}: {where}" if file else where, fault.found, fault.expected, fault.hint)


def _ties(changes: Sequence[Change], origins: Mapping[str, str]) -> list[Fault]:
    faults = []
    place = {change.id_: row for row, change in enumerate(changes) if change.id_ is not None}
    for row, change in enumerate(changes):
        where = f"changes[{row + 1}]"
        if change.id_ is not None and place[change.id_] != row:
            faults.append(
                Fault(f"{where}.id", f"{change.id_!r} twice", "an id of its own for each change")
            )
        for other in change.requires:
            if other not in place:
                faults.append(
                    Fault(f"{where}.requires", f"no change with the id {other!r}",
                          "that change in this scenario, before this one")
                )  # fmt: skip
            elif place[other] >= row:
                faults.append(
                    Fault(f"{where}.requires", f"{other!r} after this change",
                          "that change before this one")
                )  # fmt: skip
        faults += [
            Fault(f"{where}.conflicts", f"the change {other!r} in the same scenario",
                  "one of the two", "take one of them out")
            for other in change.conflicts
            if other in place
        ]  # fmt: skip
    return [_placed(f, f.where.partition(".")[0], origins) for f in faults]
