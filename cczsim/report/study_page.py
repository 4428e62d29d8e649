"""What the pages of studies share: the frame of one offline HTML file, and its tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from cczsim.report.charts import Chart
from cczsim.report.embed import bokeh_script, plot_json, script_json
from cczsim.report.page import POLICY, TEMPLATES, environment
from cczsim.report.text import Both, Language


@dataclass(frozen=True)
class Row:
    """A row: what it is about, with a swatch and a remark where there are any, and its cells."""

    name: Both
    cells: tuple[str | Both, ...]
    color: str | None = None
    remark: Both | None = None


@dataclass(frozen=True)
class Table:
    """A table, ready to print.

    Parameters
    ----------
    about : Both
        Heading of the first column.
    heads : tuple of Both
        Headings of the others, whose cells are set to the right.
    rows : tuple of Row
    title, note : Both, optional
        Above the table.
    words : frozenset of int
        Columns, by their place in ``heads``, whose cells are words and set to the left.
    """

    about: Both
    heads: tuple[Both, ...]
    rows: tuple[Row, ...]
    title: Both | None = None
    note: Both | None = None
    words: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Frame:
    """What every page of a study has around its content.

    Parameters
    ----------
    title, lead : Both
    sections : tuple of (str, Both)
        Anchors and words of the navigation.
    caveats, alarms : tuple of Both
    attribution : tuple of str
    version : str
    """

    title: Both
    lead: Both
    sections: tuple[tuple[str, Both], ...]
    caveats: tuple[Both, ...]
    attribution: tuple[str, ...]
    version: str
    alarms: tuple[Both, ...] = field(default=())


def render_study(
    template: str, name: str, frame: Frame, lang: Language, *, charts: Sequence[Chart] = (),
    plots: dict[str, Any] | None = None, **content: Any,
) -> str:  # fmt: skip
    """Return the whole page.

    Parameters
    ----------
    template : str
        Extends ``study.html``.
    name : str
        Of the study's kind.
    charts : sequence of Chart
    plots : dict of str to Bokeh plot, optional
        Further plots by key: the page holds a place ``plot-KEY`` for each.
    """
    held = {
        chart.key: {
            "item": plot_json(chart.plot), "entries": chart.wording.entries,
            "columns": chart.wording.columns,
        }
        for chart in charts
    }  # fmt: skip
    for key, plot in (plots or {}).items():
        held[key] = {"item": plot_json(plot), "entries": [], "columns": []}
    return environment().get_template(template).render(
        lang=lang,
        policy=POLICY,
        css=Markup(TEMPLATES.joinpath("page.css").read_text("utf-8")),  # noqa: S704  our own file
        trap=Markup(TEMPLATES.joinpath("trap.js").read_text("utf-8")),  # noqa: S704
        script=Markup(TEMPLATES.joinpath("page.js").read_text("utf-8")),  # noqa: S704
        bokeh=bokeh_script(),
        data=script_json({"plots": held, "map": None, "name": name}),
        frame=frame,
        charts=charts,
        **content,
    )  # fmt: skip
