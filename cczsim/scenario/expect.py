"""Check what a change expects to find."""

from __future__ import annotations

import numpy as np

from cczsim.columns import Array
from cczsim.errors import ScenarioError
from cczsim.scenario.condition import Condition
from cczsim.units import show


def check(condition: Condition | None, number: float, where: str, found: str) -> None:
    """Raise if a number does not keep a rule; without a rule every number does.

    Raises
    ------
    ScenarioError
        Names what was found.
    """
    if condition is not None and not condition.holds(number):
        raise ScenarioError.of(
            where, found, condition.text, "look at what the network holds, or mend the expectation"
        )


def check_all(condition: Condition | None, values: Array, where: str, unit: str) -> None:
    """Raise if one of the values does not keep a rule.

    Raises
    ------
    ScenarioError
        Names each distinct value that breaks the rule, and how often.
    """
    if condition is None:
        return
    distinct, counts = np.unique(values, return_counts=True)
    wrong = [
        f"{show(float(v), unit) if unit else f'{v:g}'} on {c}"
        for v, c in zip(distinct, counts, strict=True)
        if not condition.holds(float(v))
    ]
    if wrong:
        more = f" and {len(wrong) - 5} other values" if len(wrong) > 5 else ""
        raise ScenarioError.of(
            where, ", ".join(wrong[:5]) + more, f"{condition.text} on all {len(values)}",
            "look at what the network holds, or mend the expectation",
        )  # fmt: skip
