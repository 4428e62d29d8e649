"""A finished ranking: the object, its JSON, and the files that it is written to."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import cczsim
from cczsim.columns import Array
from cczsim.errors import OutputError
from cczsim.indicators.indicator import Indicator
from cczsim.indicators.plan_targets import find_target
from cczsim.pipeline.assign import write_text
from cczsim.pipeline.sample_tasks import Task
from cczsim.scenario.compare import NOT_ASSIGNED
from cczsim.scenario.ranking import HIGH, LOW, Ranking, rank_options
from cczsim.scenario.sample import SampleFigures
from cczsim.scenario.spec import ScenarioSpec
from cczsim.scenario.uncertainty import Uncertain


@dataclass(frozen=True)
class Criterion:
    """A figure that options are ranked by; ``better`` is 1 where more is better, else -1."""

    key: str
    better: int
    unit: str
    indicator: Indicator


@dataclass(frozen=True)
class RankResult:
    """A finished ranking, as the table, the JSON and the page are made from it.

    Parameters
    ----------
    names, titles, titles_zh : tuple [option] of str
    values, bound : array [option, sample, criterion]
    draws : tuple [sample] of dict
        Drawn values by name of the range, in SI.
    """

    names: tuple[str, ...]
    titles: tuple[str, ...]
    titles_zh: tuple[str, ...]
    criteria: tuple[Criterion, ...]
    ranges: dict[str, Uncertain]
    draws: tuple[dict[str, float], ...]
    seed: int
    design: str
    values: Array
    bound: Array
    not_converged: tuple[tuple[str, int], ...]
    ranking: Ranking
    attribution: tuple[str, ...]


def make_result(
    specs: Sequence[ScenarioSpec], criteria: tuple[Criterion, ...], ranges: dict[str, Uncertain],
    draws: tuple[dict[str, float], ...], seed: int, design: str, tasks: Sequence[Task],
    found: Mapping[str, SampleFigures], attribution: tuple[str, ...],
) -> RankResult:  # fmt: skip
    """Return the ranking of finished samples."""
    shape = (len(specs), len(draws), len(criteria))
    values, bound = np.full(shape, np.nan), np.zeros(shape)
    short = []
    for task in tasks:
        if task.sample < 0:
            continue
        figures = found[task.key]
        spec = specs[task.option]
        if not figures.converged:
            short.append((spec.name, task.sample + 1))
        for k, criterion in enumerate(criteria):
            item = find_target(criterion.key, figures.indicators, spec.density.convention)
            if item is None:
                continue
            values[task.option, task.sample, k] = item.value
            if item.key not in NOT_ASSIGNED and math.isfinite(item.value):
                bound[task.option, task.sample, k] = figures.noise * abs(item.value)
    ranking = rank_options(values, bound, np.array([c.better for c in criteria]))
    chinese = [str(spec.title_zh or spec.title) for spec in specs]
    return RankResult(
        tuple(s.name for s in specs), tuple(s.title for s in specs), tuple(chinese), criteria,
        ranges, draws, seed, design, values, bound, tuple(short), ranking,
        attribution,
    )  # fmt: skip


def as_json(result: RankResult) -> dict[str, Any]:
    """Return a ranking as plain JSON: the same for the same inputs, wherever it was computed."""
    ranking, names = result.ranking, result.names

    def known(value: float) -> float | None:
        return value if math.isfinite(value) else None

    figures = {}
    for k, criterion in enumerate(result.criteria):
        figures[criterion.key] = {
            "unit": criterion.unit,
            "better": "more" if criterion.better > 0 else "less",
            "leader": names[ranking.leader[k]],
            "options": {
                name: {n: known(v) if isinstance(v, float) else v for n, v in vars(row).items()}
                for name, row in zip(names, ranking.figures[k], strict=True)
            },
        }
    samples = [
        {
            "values": values,
            "figures": {
                name: {
                    c.key: known(float(result.values[o, s, k]))
                    for k, c in enumerate(result.criteria)
                }
                for o, name in enumerate(names)
            },
        }
        for s, values in enumerate(result.draws)
    ]
    return {
        "cczsim": cczsim.__version__,
        "options": [
            {"name": n, "title": t} for n, t in zip(names, result.titles, strict=True)
        ],
        "seed": result.seed if result.ranges else None,
        "design": result.design if result.ranges else None,
        "attribution": list(result.attribution),
        "interval": [LOW, HIGH],
        "used_samples": ranking.used,
        "left_out_samples": ranking.left_out,
        "uncertainty": {
            name: {
                "what": item.what, "distribution": item.distribution, "low": item.low,
                "high": item.high, "likely": item.likely, "factor": item.is_factor,
                "note": item.note,
            }
            for name, item in result.ranges.items()
        },
        "by": figures,
        "dominated_by": {
            name: [names[p] for p in by]
            for name, by in zip(names, ranking.dominated_by, strict=True)
        },
        "pareto_front": [names[o] for o in ranking.front],
        "not_converged": [{"option": n, "sample": s} for n, s in result.not_converged],
        "samples": samples,
    }  # fmt: skip


def write_ranking(
    result: RankResult, out: Path, lang: str, spent: float, computed: int, workers: int,
    cluster: str | None,
) -> None:  # fmt: skip
    """Write ``rank.json`` and the page.

    Raises
    ------
    OutputError
        The disk refuses.
    """
    from cczsim.report.rank_page import render_rank

    content = as_json(result)
    content["this_run"] = {
        "seconds": round(spent, 3), "computed_runs": computed, "workers": workers,
        "cluster": cluster is not None,
    }  # fmt: skip
    text = json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    titles = dict(zip(result.names, result.titles_zh, strict=True))
    shown = [c.indicator for c in result.criteria]
    page = render_rank(content, titles, shown, "zh" if lang == "zh" else "en")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError.of(str(out), error.strerror or str(error), "a folder") from None
    for name, body in (("rank.html", page), ("rank.json", text)):
        part = out / f".{name}.part"
        write_text(part, body)
        part.replace(out / name)
