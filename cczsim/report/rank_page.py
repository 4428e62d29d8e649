"""The page of a ranking: one HTML file that opens offline, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cczsim.indicators.indicator import Indicator
from cczsim.report.figures import DASH, number, percent
from cczsim.report.rank_charts import OPTION_COLORS, best_chart, cloud_chart, interval_chart
from cczsim.report.study_page import Frame, Row, Table, render_study
from cczsim.report.tables import figure_label, unit_of
from cczsim.report.text import Both, Language, same, term, text


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
    ranges = content["uncertainty"]
    lead = text("rank.lead_single")
    if sampled:
        lead = text("rank.lead", n=content["used_samples"], m=len(ranges))
    answers = [_answer(content, key, labels[key], titles) for key in keys]
    answers += [
        text("rank.dominated", a=titles[a], b=_listed(titles[b] for b in by))
        for a, by in content["dominated_by"].items() if by
    ]  # fmt: skip
    if len(keys) > 1:
        answers.append(
            text("rank.front", options=_listed(titles[name] for name in content["pareto_front"]))
        )
    short, left_out = len(content["not_converged"]), content["left_out_samples"]
    frame = Frame(
        title=text("rank.title", n=len(names)),
        lead=lead,
        sections=(
            ("answer", text("nav.answer")), ("charts", text("nav.charts")),
            ("tables", text("rank.tables")), ("assumptions", text("rank.unknown")),
        ),
        caveats=(text("page.modelled"), text("rank.tie_rule"))
        + ((text("rank.independent"),) if sampled else ()),
        alarms=((text("rank.not_converged", n=short),) if short else ())
        + ((text("rank.left_out", n=left_out),) if left_out else ()),
        attribution=tuple(content["attribution"]),
        version=content["cczsim"],
    )  # fmt: skip
    return render_study(
        "rank.html", "rank", frame, lang,
        charts=charts,
        tables=[_table(content, key, labels[key], titles) for key in keys],
        options=[(same(n), titles[n], _color(k)) for k, n in enumerate(names)],
        answers=answers,
        ranges=_ranges(content) if sampled else None,
    )  # fmt: skip


def _color(option: int) -> str:
    return OPTION_COLORS[option % len(OPTION_COLORS)]


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


def _table(content: Mapping[str, Any], key: str, label: Both, titles: Mapping[str, Both]) -> Table:
    own = content["by"][key]
    names = list(own["options"])
    order = sorted(names, key=lambda n: (own["options"][n]["place"], n != own["leader"]))
    heads = ["rank.place", "column.value", "rank.behind"]
    if content["uncertainty"]:
        columns = ("place", "mean", "low", "high", "best", "tied", "regret", "worst", "behind")
        heads = [f"rank.{column}" for column in columns]
    rows = []
    for name in order:
        row = own["options"][name]
        cells = [str(row["place"]), _shown(row["mean"])]
        if content["uncertainty"]:
            cells += [_shown(row[k]) for k in ("low", "high")]
            cells += [percent(row["best"], 0), percent(row["tied"], 0)]
            cells += [_shown(row[k]) for k in ("regret", "worst_regret")]
        behind = DASH if name == own["leader"] else _shown(row["behind"])
        if content["uncertainty"] and name != own["leader"]:
            behind += f" ({_shown(row['behind_low'])} … {_shown(row['behind_high'])})"
        tie = same("≈").join(text("rank.tie"), by=" ") if row["ties_leader"] else None
        rows.append(Row(titles[name], (*cells, behind), _color(names.index(name)), tie))
    sense = text(f"rank.{own['better']}")
    return Table(
        text("rank.option"), tuple(text(head) for head in heads), tuple(rows),
        label.join(unit_of(own["unit"]), by=", ").join(sense, by=" "),
    )  # fmt: skip


def _shown(value: float | None) -> str:
    return DASH if value is None else number(value, 4)


def _ranges(content: Mapping[str, Any]) -> Table:
    def shown(item: Mapping[str, Any], name: str) -> str:
        value = item[name]
        if value is None:
            return ""
        return f"× {value}" if item["factor"] else str(value)

    heads = (
        "column.key", "rank.least", "rank.likely", "rank.greatest", "rank.distribution",
        "column.why",
    )  # fmt: skip
    rows = tuple(
        Row(
            same(name),
            (
                item["what"], shown(item, "low"), shown(item, "likely"), shown(item, "high"),
                term("distribution", item["distribution"]), item["note"] or "",
            ),
        )
        for name, item in content["uncertainty"].items()
    )  # fmt: skip
    return Table(
        text("column.what"),
        tuple(text(head) for head in heads),
        rows,
        words=frozenset({0, 4, 5}),
        note=text("rank.design", design=content["design"], seed=content["seed"]),
    )
