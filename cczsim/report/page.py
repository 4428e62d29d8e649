"""The report: one HTML file that opens offline, in English and Chinese."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import groupby
from typing import Any, Final

import jinja2
import numpy as np
from markupsafe import Markup

from cczsim import __version__
from cczsim.indicators.plan_targets import find_target
from cczsim.network.transit import MODES
from cczsim.report import tables
from cczsim.report.answer import answer
from cczsim.report.charts import Chart, gap_chart, line_charts, load_chart, mode_chart, tier_charts
from cczsim.report.day import by_period
from cczsim.report.density_tables import density_tables
from cczsim.report.embed import bokeh_script, plot_json, script_json
from cczsim.report.figures import DASH, MINUS, count, number, percent, scientific
from cczsim.report.maps import RegionMap, region_map
from cczsim.report.palette import BASE_COLOR, MODE_COLORS, SCENARIO_COLOR, ZONE_COLORS
from cczsim.report.provenance import (
    Fact,
    generated_km,
    guessed_shares,
    size_facts,
    solver_rows,
    street_metres,
)
from cczsim.report.rail import ROAD_MODES, LineRow, line_rows
from cczsim.report.scoreboard import assumption_lines, scoreboard, target_counts
from cczsim.report.text import Both, Language, remark, same, term, text
from cczsim.scenario.compare import Apart
from cczsim.scenario.result import RunResult

TEMPLATES: Final = files("cczsim.report").joinpath("templates")
_FIRST_ASSUMPTIONS: Final = 12
"""Those that weigh most are open to read; the rest is folded."""
# Nothing may be fetched: scripts and styles stand in the page, images are drawn by it.
POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:; connect-src 'none'; base-uri 'none'; form-action 'none'"
)


@dataclass(frozen=True)
class LedgerLine:
    """A row of the demand ledger, ready to print."""

    stage: Both
    first: bool
    item: Both
    trips: str
    share: str
    why: Both


@dataclass(frozen=True)
class ChangeLine:
    """An applied change, ready to print."""

    index: int
    kind: Both
    summary: Both
    counts: tuple[Both, ...]
    cost: str


def ledger_lines(result: RunResult) -> tuple[LedgerLine, ...]:
    """Return the demand ledger with each row's share of its stage."""
    lines: list[LedgerLine] = []
    for stage, rows in groupby(result.ledger, key=lambda row: row.stage):
        own = list(rows)
        every = [row.trips for row in own if row.item == "all"]
        total = every[0] if every else sum(row.trips for row in own)
        lines += [
            LedgerLine(
                term("stage", stage), k == 0, term("item", row.item), number(row.trips),
                percent(row.trips / total) if total else DASH, remark(row.why),
            )
            for k, row in enumerate(own)
        ]  # fmt: skip
    return tuple(lines)


@dataclass(frozen=True)
class ObservationLine:
    """A figure of the model beside what was observed, ready to print."""

    name: Both
    unit: Both
    value: str
    observed: str
    residual: str
    source: Both


def observation_lines(figures: tables.Figures) -> tuple[ObservationLine, ...]:
    """Return the model's figures beside those that are known of the place."""
    result = figures.result
    lines = []
    for row in result.observations:
        item = find_target(row.figure, result.indicators, tables.target_convention(result))
        name = tables.figure_label(item) if item is not None else same(row.figure)
        if row.label:
            name = Both(row.label, row.label_zh or row.label)
        off = f"{100.0 * row.residual:+.0f} %" if math.isfinite(row.residual) else DASH
        lines.append(
            ObservationLine(
                name, tables.unit_of(row.unit), number(row.value), number(row.observed),
                off.replace("-", MINUS), Both(row.source, row.source_zh or row.source),
            )
        )  # fmt: skip
    return tuple(lines)


def change_lines(result: RunResult) -> tuple[ChangeLine, ...]:
    """Return the applied changes with their counts in words."""
    return tuple(
        ChangeLine(
            change.index, term("change", change.kind), remark(change.summary),
            tuple(
                term("count", name).join(count(value), by=": ")
                for name, value in change.counts.items()
            ),
            number(change.cost),
        )
        for change in result.changes
    )  # fmt: skip


def caveats(result: RunResult) -> tuple[Both, ...]:
    """Return what must stand under the title: the model's nature, the gap, what was made up."""
    road = result.network.road
    total = float(street_metres(road).sum() / 1e3)
    _, generated = generated_km(road)
    out = [
        text("page.modelled_day" if result.periods else "page.modelled"),
        text("page.converged" if result.equilibrium.road.converged else "page.not_converged"),
    ]
    if generated:
        out.append(
            text(
                "page.generated", share=percent(generated / total, 0), km=number(generated),
                total=number(total),
            )
        )  # fmt: skip
    guessed = {
        row.label.en: row.cells[-1].value for row in guessed_shares(road).rows
    }  # fmt: skip
    lanes, speed = (guessed[term("attribute", name).en] for name in ("lanes", "speed"))
    out.append(text("page.guessed", lanes=lanes, speed=speed))
    return tuple(out)


def reproduction(result: RunResult) -> str:
    """Return the command that makes the result again."""
    path = result.spec.get("path") or result.spec.get("file")
    name = str(path) if isinstance(path, str) and path else f"{result.name}.toml"
    return f"cczsim run {name}"


def network_title(result: RunResult) -> Both:
    """Return the title of a result's network."""
    info = result.network.info
    title = info.title or info.name
    return Both(title, info.title_zh or title)


def network_notes(result: RunResult) -> tuple[Both, ...]:
    """Return what a network says of itself; notes that were never put into Chinese stay English."""
    info = result.network.info
    chinese = [Both(*pair) for pair in zip(info.notes, info.notes_zh, strict=False)]
    return (*chinese, *(remark(note) for note in info.notes[len(chinese) :]))


def _source_facts(result: RunResult) -> tuple[Fact, ...]:
    info = result.network.info
    facts = [Fact(text("fact.network"), network_title(result))]
    if info.date:
        facts.append(Fact(text("fact.date"), same(info.date)))
    facts.append(Fact(text("fact.version"), same(__version__)))
    facts.append(Fact(text("fact.command"), same(reproduction(result))))
    return tuple(facts)


def _plots(drawn: RegionMap | None, charts: tuple[Chart, ...]) -> dict[str, dict[str, Any]]:
    out: dict[str, dict[str, Any]] = {}
    if drawn is not None:
        wording = drawn.wording
        item = plot_json(drawn.plot)
        out["map"] = {"item": item, "entries": wording.entries, "columns": wording.columns}
    for chart in charts:
        item = plot_json(chart.plot)
        wording = chart.wording
        out[chart.key] = {"item": item, "entries": wording.entries, "columns": wording.columns}
    return out


def _has_coordinates(result: RunResult) -> bool:
    road = result.network.road
    return road.shape_first is not None or bool(np.isfinite(road.node_lon).all())


def _line_groups(
    result: RunResult, base: RunResult | None
) -> tuple[tuple[str, tuple[LineRow, ...]], ...]:
    """Return the lines on rails, then those on roads and water, which may be many."""
    rows = line_rows(result, base)
    on_road = {MODES[code] for code in ROAD_MODES}
    return (
        ("rail", tuple(row for row in rows if row.mode not in on_road)),
        ("road", tuple(row for row in rows if row.mode in on_road)),
    )


@lru_cache(maxsize=1)
def environment() -> jinja2.Environment:
    """Return what all pages are made by: escaping, and the words and figures they may use."""
    load: Callable[[str], str] = lambda name: TEMPLATES.joinpath(name).read_text("utf-8")  # noqa: E731
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(load), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.globals.update(
        t=text, term=term, number=number, scientific=scientific, percent=percent
    )
    return environment


def render(
    result: RunResult, base: RunResult | None, comparison: Any | None, lang: Language = "en",
    apart: Sequence[Apart] = (),
) -> str:  # fmt: skip
    """Return the whole page.

    Parameters
    ----------
    result : RunResult
        The scenario that the page is about.
    base : RunResult or None
        What it is compared with.
    comparison : object or None
        With ``rows``, each of them with ``key``, ``by`` and ``explained_by_gap``
        (``scenario.compare.Comparison``); None leaves the gap's part in differences open.
    lang : {"en", "zh"}
        The language that the page opens in; both are in it.
    apart : sequence of Apart, optional
        How far other options of the same base lie from this one.

    Returns
    -------
    str
        HTML, the same for the same results; without map where the network has no coordinates.
    """
    figures = tables.Figures.of(result, base, comparison)
    drawn = region_map(result, base) if _has_coordinates(result) else None
    mode = mode_chart(figures)
    wide = (*((mode,) if mode else ()), load_chart(figures), gap_chart(result, base))
    lines, small = line_charts(figures), tier_charts(figures)
    charts = (*wide, *lines, *small)
    scores = scoreboard(figures)
    title = tables.run_title(result)
    base_title = tables.run_title(base) if base is not None else same("")
    subtitle = text("page.subtitle", year=result.year)
    if base is not None:
        subtitle = text(
            "page.subtitle_compared", year=result.year, base=base_title, base_year=base.year
        )
    page = environment().get_template("page.html")
    return page.render(
        lang=lang,
        policy=POLICY,
        css=Markup(TEMPLATES.joinpath("page.css").read_text("utf-8")),  # noqa: S704  our own file
        trap=Markup(TEMPLATES.joinpath("trap.js").read_text("utf-8")),  # noqa: S704
        script=Markup(TEMPLATES.joinpath("page.js").read_text("utf-8")),  # noqa: S704
        bokeh=bokeh_script(),
        data=script_json(
            {
                "name": result.name,
                "plots": _plots(drawn, charts),
                "map": drawn.script if drawn is not None else None,
            }
        ),
        result=result,
        base=base,
        comparison=comparison,
        title=title,
        base_title=base_title,
        subtitle=subtitle,
        caveats=caveats(result),
        headline=tables.headline(figures),
        scores=scores,
        verdict=target_counts(scores),
        answer=answer(figures, scores, comparison, apart),
        assumptions=assumption_lines(result),
        first_assumptions=_FIRST_ASSUMPTIONS,
        gates=bool(tables.gate_tiers(result)),
        map=drawn,
        charts_wide=wide,
        charts_lines=lines,
        charts_small=small,
        mode_colors=MODE_COLORS if mode else {},
        base_color=BASE_COLOR,
        scenario_color=SCENARIO_COLOR,
        zone_colors=ZONE_COLORS,
        indicators=tables.by_tier(figures),
        periods=by_period(figures),
        density=density_tables(figures),
        lines=_line_groups(result, base),
        has_lines=result.network.transit is not None and result.network.transit.n_lines > 0,
        ledger=ledger_lines(result),
        observations=observation_lines(figures),
        changes=change_lines(result),
        guessed=guessed_shares(result.network.road),
        facts=size_facts(result),
        solver=solver_rows(result, base),
        sources=_source_facts(result),
        network_title=network_title(result),
        notes=network_notes(result),
    )  # fmt: skip
