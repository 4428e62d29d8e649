"""The page of a density curve: each figure against road density, a line a scenario."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bokeh.models import BasicTicker, ColumnDataSource, HoverTool, NumeralTickFormatter
from bokeh.plotting import figure
from markupsafe import Markup

from cczsim.indicators.indicator import Indicator
from cczsim.report.charts import TIP, Chart
from cczsim.report.embed import Wording, bokeh_script, plot_json, script_json
from cczsim.report.figures import DASH, number
from cczsim.report.page import POLICY, TEMPLATES, environment
from cczsim.report.rank_charts import OPTION_COLORS
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
    data = {
        "plots": {
            c.key: {
                "item": plot_json(c.plot), "entries": c.wording.entries,
                "columns": c.wording.columns,
            }
            for c in charts
        },
        "map": None,
        "name": "curve",
    }  # fmt: skip
    rows = [
        (
            titles[p["scenario"]], OPTION_COLORS[p["scenario"] % len(OPTION_COLORS)],
            number(p["density"], 4), number(p["added_km"]),
            [_shown(p["figures"].get(key)) for key in keys],
        )
        for p in content["points"]
    ]  # fmt: skip
    gains = [
        (
            labels[key], units[key], _shown(item["density"]),
            [(_shown(a), _shown(b)) for a, b in zip(item["other"], item["both"], strict=True)],
            [DASH if s is None else number(s, 3) for s in item["stops_at"]],
        )
        for key, item in content["shares"].items()
    ]  # fmt: skip
    return environment().get_template("curve.html").render(
        lang=lang,
        policy=POLICY,
        css=Markup(TEMPLATES.joinpath("page.css").read_text("utf-8")),  # noqa: S704  our own file
        trap=Markup(TEMPLATES.joinpath("trap.js").read_text("utf-8")),  # noqa: S704
        script=Markup(TEMPLATES.joinpath("page.js").read_text("utf-8")),  # noqa: S704
        bokeh=bokeh_script(),
        data=script_json(data),
        area=term("area", content["area"]),
        convention=term("convention", content["convention"]),
        scenarios=[(t, OPTION_COLORS[k % len(OPTION_COLORS)]) for k, t in enumerate(titles)],
        charts=charts,
        labels=[labels[key].join(units[key], by=", ") for key in keys],
        rows=rows,
        gains=gains,
        bad=sum(not p["converged"] for p in content["points"]),
        content=content,
    )  # fmt: skip


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
        color = OPTION_COLORS[k % len(OPTION_COLORS)]
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
