"""The page of a ranking: one HTML file that opens offline, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from cczsim.indicators.indicator import Indicator
from cczsim.report.embed import bokeh_script, plot_json, script_json
from cczsim.report.figures import DASH, number, percent
from cczsim.report.page import POLICY, TEMPLATES, environment
from cczsim.report.rank_charts import OPTION_COLORS, best_chart, cloud_chart, interval_chart
from cczsim.report.tables import figure_label, unit_of
from cczsim.report.text import Both, Language, same, term, text


@dataclass(frozen=True)
class OptionRow:
    """A row of a table of one figure, ready to print."""

    place: int
    name: Both
    color: str
    cells: tuple[str, ...]
    tie: bool


@dataclass(frozen=True)
class FigureTable:
    """The options by one figure, best first."""

    key: str
    label: Both
    unit: Both
    sense: Both
    rows: tuple[OptionRow, ...]


@dataclass(frozen=True)
class RangeRow:
    """A declared range, ready to print."""

    name: str
    what: str
    low: str
    high: str
    likely: str
    distribution: Both
    note: str


def render_rank(
    content: Mapping[str, Any],
    titles_zh: Mapping[str, str],
    indicators: Sequence[Indicator],
    lang: Language = "en",
) -> str:
    """Return the whole page.

    Parameters
    ----------
    content : mapping
        The content of ``rank.json``.
    titles_zh : mapping of str to str
        Titles of the options in Chinese, by name.
    indicators : sequence of Indicator
        One for each figure that options are ranked by, in their order.
    lang : {"en", "zh"}
        The language that the page opens in; both are in it.

    Returns
    -------
    str
        HTML, the same for the same results.
    """
    names = [item["name"] for item in content["options"]]
    titles = {
        item["name"]: Both(item["title"], titles_zh.get(item["name"], item["title"]))
        for item in content["options"]
    }
    sampled = bool(content["uncertainty"])
    keys = list(content["by"])
    labels = dict(zip(keys, (figure_label(i) for i in indicators), strict=True))
    charts = [interval_chart(content, key, labels[key], titles) for key in keys]
    if sampled:
        charts.append(best_chart(content, labels, titles))
    if len(keys) > 1:
        charts.append(cloud_chart(content, keys[0], keys[1], labels, titles))
    page_data = {
        "plots": {
            c.key: {
                "item": plot_json(c.plot), "entries": c.wording.entries,
                "columns": c.wording.columns,
            }
            for c in charts
        },
        "map": None,
        "name": "rank",
    }  # fmt: skip
    shown = {key: content["by"][key]["leader"] for key in keys}
    return environment().get_template("rank.html").render(
        lang=lang,
        policy=POLICY,
        css=Markup(TEMPLATES.joinpath("page.css").read_text("utf-8")),  # noqa: S704  our own file
        trap=Markup(TEMPLATES.joinpath("trap.js").read_text("utf-8")),  # noqa: S704
        script=Markup(TEMPLATES.joinpath("page.js").read_text("utf-8")),  # noqa: S704
        bokeh=bokeh_script(),
        data=script_json(page_data),
        content=content,
        sampled=sampled,
        charts=charts,
        tables=[_table(content, key, labels[key], titles) for key in keys],
        options=[(same(n), titles[n], OPTION_COLORS[k % len(OPTION_COLORS)])
                 for k, n in enumerate(names)],
        answers=[_answer(content, key, labels[key], titles) for key in shown],
        dominance=[
            text("rank.dominated", a=titles[a], b=_listed(titles[b] for b in by))
            for a, by in content["dominated_by"].items() if by
        ],
        front=_listed(titles[name] for name in content["pareto_front"]),
        several=len(keys) > 1,
        ranges=_ranges(content),
    )  # fmt: skip


def _listed(items: Any) -> Both:
    first, *rest = list(items)
    return Both(
        ", ".join(x.en for x in (first, *rest)), "、".join(x.zh for x in (first, *rest))
    )  # fmt: skip


def _answer(content: Mapping[str, Any], key: str, label: Both, titles: Mapping[str, Both]) -> Both:
    """Return who leads by a figure, who ties, and how sure that is."""
    own = content["by"][key]
    leader = own["leader"]
    ties = [titles[n] for n, row in own["options"].items() if row["ties_leader"]]
    out = text("rank.leads", label=label, option=titles[leader])
    if content["uncertainty"]:
        share = percent(own["options"][leader]["best"], 0)
        out = out.join(text("rank.sure", share=share), by="")
    if ties:
        out = out.join(text("rank.ties", options=_listed(ties)), by="")
    return out


def _table(
    content: Mapping[str, Any], key: str, label: Both, titles: Mapping[str, Both]
) -> FigureTable:
    own = content["by"][key]
    names = list(own["options"])
    order = sorted(names, key=lambda n: (own["options"][n]["place"], n != own["leader"]))
    rows = []
    for name in order:
        row = own["options"][name]
        cells = [_shown(row["mean"])]
        if content["uncertainty"]:
            cells += [_shown(row[k]) for k in ("low", "high")]
            cells += [percent(row["best"], 0), percent(row["tied"], 0)]
            cells += [_shown(row[k]) for k in ("regret", "worst_regret")]
        behind = DASH if name == own["leader"] else _shown(row["behind"])
        if content["uncertainty"] and name != own["leader"]:
            behind += f" ({_shown(row['behind_low'])} … {_shown(row['behind_high'])})"
        color = OPTION_COLORS[names.index(name) % len(OPTION_COLORS)]
        rows.append(
            OptionRow(row["place"], titles[name], color, (*cells, behind), row["ties_leader"])
        )
    sense = text(f"rank.{own['better']}")
    return FigureTable(key, label, unit_of(own["unit"]), sense, tuple(rows))


def _shown(value: float | None) -> str:
    return DASH if value is None else number(value, 4)


def _ranges(content: Mapping[str, Any]) -> tuple[RangeRow, ...]:
    def shown(item: Mapping[str, Any], name: str) -> str:
        value = item[name]
        if value is None:
            return ""
        return f"× {value}" if item["factor"] else str(value)

    return tuple(
        RangeRow(
            name, item["what"], shown(item, "low"), shown(item, "high"), shown(item, "likely"),
            term("distribution", item["distribution"]), item["note"] or "",
        )
        for name, item in content["uncertainty"].items()
    )  # fmt: skip
