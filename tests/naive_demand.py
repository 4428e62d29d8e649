"""Plain-Python twins of the demand kernels: logit, logsum, and gravity, pair by pair."""

from __future__ import annotations

import math


def logsum(costs: list[float], scale: float) -> float:
    """Expected least cost of a logit; inf where nothing is available."""
    known = [cost for cost in costs if math.isfinite(cost)]
    if not known:
        return math.inf
    least = min(known)
    return least - scale * math.log(sum(math.exp(-(cost - least) / scale) for cost in known))


def gravity_pull(cost: float, decay: float, power: float) -> float:
    """Tanner's function."""
    if not math.isfinite(cost):
        return 0.0
    cost = max(cost, decay / 30.0)
    return cost**-power * math.exp(-cost / decay)


def balanced(
    rows: list[float], columns: list[float], pull: list[list[float]], rounds: int = 3000
) -> list[list[float]]:
    """Furness: rows and columns in turn, until nothing changes."""
    n = len(rows)
    factor = sum(rows) / sum(columns)
    trips = [list(row) for row in pull]
    for _ in range(rounds):
        for o in range(n):
            total = sum(trips[o])
            if total > 0.0:
                trips[o] = [t * rows[o] / total for t in trips[o]]
        worst = 0.0
        for d in range(n):
            total = sum(trips[o][d] for o in range(n))
            if total > 0.0:
                share = columns[d] * factor / total
                worst = max(worst, abs(share - 1.0))
                for o in range(n):
                    trips[o][d] *= share
        if worst < 1e-13:
            break
    return trips


def drawn(rows: list[float], columns: list[float], pull: list[list[float]]) -> list[list[float]]:
    """Constrained by origins alone."""
    out = []
    for o, made in enumerate(rows):
        weights = [p * c for p, c in zip(pull[o], columns, strict=True)]
        total = sum(weights)
        out.append([made * w / total if total > 0.0 else 0.0 for w in weights])
    return out
