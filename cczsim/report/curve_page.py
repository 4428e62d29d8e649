"""The page of a density curve: each figure against road density, a line a scenario."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bokeh.models import BasicTicker, ColumnDataSource, HoverTool, NumeralTickFormatter
from bokeh.plotting import figure

from cczsim.indicators.indicator import Indicator
from cczsim.report.charts import TIP, Chart
from cczsim.report.embed import Wording
from cczsim.report.figures import DASH, number, percent
from cczsim.report.rank_charts import OPTION_COLORS
from cczsim.report.study_page import Frame, Row, Table, render_study
from cczsim.report.tables import figure_label, unit_of
from cczsim.report.text import Both, Language, same, term, text


def render_curve(
    content: Mapping[str, Any],
    titles_zh: Mapping[str, str],
    indicators: Mapping[str, Indicator],
    lang: Language = "en",
) -> str:
    """Return the whole page.

    Parameters
    ----------
    content : mapping
        The content of ``curve.json``.
    titles_zh : mapping of str to str
        Titles of the scenarios in Chinese, by name.
    indicators : mapping of str to Indicator
        One for each figure, for its name and unit.
    lang : {"en", "zh"}
        The language that the page opens in; both are in it.
    """
    titles = [Both(s["title"], titles_zh[s["name"]]) for s in content["scenarios"]]
    keys = list(indicators)
    labels = {key: figure_label(indicators[key]) for key in keys}
    units = {key: unit_of(indicators[key].unit) for key in keys}
    charts = [_chart(content, key, labels[key], units[key], titles) for key in keys]
    bad = sum(not p["converged"] for p in content["points"])
    frame = Frame(
        title=text("curve.title"),
        lead=term("area", content["area"]).join(term("convention", content["convention"])),
        sections=(
            ("answer", text("nav.answer")), ("charts", text("nav.charts")),
            ("gains", text("curve.gains")), ("tables", text("rank.tables")),
        ),
        caveats=(text("page.modelled"), text("curve.streets"), text("design.costs")),
        alarms=(text("rank.not_converged", n=bad),) if bad else (),
        attribution=tuple(content["attribution"]),
        version=content["cczsim"],
    )  # fmt: skip
    return render_study(
        "curve.html", "curve", frame, lang,
        charts=charts,
        answers=_answers(content, labels, units, titles),
        scenarios=[(t, _color(k)) for k, t in enumerate(titles)],
        gains=_gains(content, labels, units, titles),
        points=_points(content, keys, labels, units, titles),
    )  # fmt: skip


def _color(scenario: int) -> str:
    return OPTION_COLORS[scenario % len(OPTION_COLORS)]


def _answers(
    content: Mapping[str, Any], labels: Mapping[str, Both], units: Mapping[str, Both],
    titles: list[Both],
) -> list[Both]:  # fmt: skip
    """Return where density stops paying, whose the gain is, and what the runs took."""
    pays = content["pays"]
    out = []
    for title, stop, worth in zip(titles, pays["stops_at"], pays["worth"], strict=True):
        values = {"scenario": title, "worth": number(worth / 1e6, 3)}
        if stop is None:
            out.append(text("curve.pays_on", **values))
        else:
            out.append(text("curve.pays_to", stop=number(stop, 3), **values))
    out.append(
        text(
            "curve.worth_rule", hours=number(pays["hours_a_year"]), years=pays["years"],
            rate=percent(pays["rate"], 0),
        )
    )  # fmt: skip
    for key, item in content["shares"].items():
        for title, part, both in zip(titles[1:], item["part"], item["both"], strict=True):
            if part is None:
                continue
            low, high = sorted(round(share, 2) + 0.0 for share in part)  # no minus zero
            out.append(
                text(
                    "curve.part", label=labels[key], scenario=title,
                    gain=same(_shown(both)).join(units[key], by=" "),
                    low=percent(low, 0), high=percent(high, 0),
                )
            )  # fmt: skip
    seconds = content["this_run"]["processor_seconds"]
    for words, warm in (("curve.cold", False), ("curve.warm", True)):
        took = [
            s for s, p in zip(seconds, content["points"], strict=True) if p["warm"] is warm and s
        ]
        if took:
            out.append(text(words, n=len(took), seconds=number(sum(took) / len(took), 3)))
    return out


def _gains(
    content: Mapping[str, Any], labels: Mapping[str, Both], units: Mapping[str, Both],
    titles: list[Both],
) -> Table:  # fmt: skip
    heads = [text("curve.density_alone")]
    for title in titles[1:]:
        heads += [title, text("curve.with_density")]
    heads += [text("curve.stops").join(title, by=": ") for title in titles]
    rows = []
    for key, item in content["shares"].items():
        cells = [_shown(item["density"])]
        for other, both in zip(item["other"], item["both"], strict=True):
            cells += [_shown(other), _shown(both)]
        cells += [DASH if s is None else number(s, 3) for s in item["stops_at"]]
        rows.append(Row(labels[key].join(units[key], by=", "), tuple(cells)))
    return Table(text("column.what"), tuple(heads), tuple(rows), note=text("curve.gains_note"))


def _points(
    content: Mapping[str, Any], keys: list[str], labels: Mapping[str, Both],
    units: Mapping[str, Both], titles: list[Both],
) -> Table:  # fmt: skip
    rows, before = [], dict.fromkeys(range(len(titles)), 0)
    for point in content["points"]:
        scenario = point["scenario"]
        step = before[scenario] - 1
        before[scenario] += 1
        price = content["pays"]["cost_of_a_vehicle_hour"][scenario][step] if step >= 0 else None
        cells = (
            number(point["density"], 4), number(point["added_km"]),
            *(_shown(point["figures"].get(key)) for key in keys),
            DASH if price is None else number(price / 1e6, 3),
        )  # fmt: skip
        rows.append(Row(titles[scenario], cells, _color(scenario)))
    heads = (
        same("km/km²"), text("curve.added"),
        *(labels[key].join(units[key], by=", ") for key in keys), text("curve.price"),
    )  # fmt: skip
    return Table(text("rank.option"), heads, tuple(rows))


def _shown(value: float | None) -> str:
    return DASH if value is None else number(value, 4)


def _chart(
    content: Mapping[str, Any], key: str, label: Both, unit: Both, titles: list[Both]
) -> Chart:
    plot, wording = figure(
        height=280, sizing_mode="stretch_width", tools="", toolbar_location=None,
        min_border_right=20,
    ), Wording()  # fmt: skip
    drawn = []
    for k, title in enumerate(titles):
        own = [
            (p["density"], p["figures"][key])
            for p in content["points"]
            if p["scenario"] == k and p["figures"].get(key) is not None
        ]
        color = _color(k)
        source = ColumnDataSource({"x": [x for x, _ in own], "y": [y for _, y in own]})
        tips = [
            title.join(f"{number(x, 3)} km/km²", same(number(y, 4)).join(unit, by=" "))
            for x, y in own
        ]
        wording.set_column(source, "tip", tips)
        plot.line("x", "y", source=source, line_color=color, line_width=2)
        drawn.append(plot.scatter("x", "y", source=source, color=color, size=7))
    plot.yaxis.formatter = NumeralTickFormatter(format="0,0.[000]")
    plot.xaxis.ticker = BasicTicker(desired_num_ticks=6)
    wording.set(plot.xaxis[0], "axis_label", text("curve.axis"))
    plot.add_tools(HoverTool(renderers=drawn, tooltips=TIP))
    return Chart(f"curve-{key}", label.join(unit, by=", "), plot, wording)
