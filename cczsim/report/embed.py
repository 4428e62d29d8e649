"""Bokeh plots as JSON that is the same every time and safe inside a script element."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

from bokeh.document import Document
from bokeh.model import Model
from bokeh.models import ColumnDataSource
from bokeh.themes import Theme
from markupsafe import Markup

from cczsim.report.text import Both

FONTS: Final = (
    'system-ui, "Segoe UI", "Noto Sans", "Helvetica Neue", Arial, "PingFang SC", '
    '"Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", "Source Han Sans SC", '
    '"WenQuanYi Micro Hei", sans-serif'
)
INK: Final = "#22303c"
PALE: Final = "#e3e0d8"

_THEME: Final = {
    "attrs": {
        "Plot": {
            "background_fill_color": "#ffffff",
            "border_fill_color": "#ffffff",
            "outline_line_color": None,
        },
        "Axis": {
            "axis_label_text_font": FONTS,
            "axis_label_text_font_style": "normal",
            "axis_label_text_color": INK,
            "axis_line_color": "#8a949c",
            "major_label_text_font": FONTS,
            "major_label_text_font_size": "12px",
            "major_label_text_color": INK,
            "major_tick_line_color": "#8a949c",
            "minor_tick_line_color": None,
        },
        "Grid": {"grid_line_color": PALE},
    }
}


@dataclass
class Wording:
    """What the page's script must write into one plot when the language changes.

    Parameters
    ----------
    entries : list
        ``[model name, property, English value, Chinese value]``.
    columns : list
        ``[source name, column, English values, Chinese values]``.
    """

    entries: list[list[Any]] = field(default_factory=list)
    columns: list[list[Any]] = field(default_factory=list)

    def set(self, model: Model, prop: str, value: Both) -> None:
        """Set a text property of a model now, in English, and on every change of language."""
        self._set(model, prop, value.en, value.zh)

    def set_ticks(self, axis: Model, labels: Sequence[Both]) -> None:
        """Name the ticks 0, 1, 2, … of an axis."""
        self._set(
            axis,
            "major_label_overrides",
            {k: label.en for k, label in enumerate(labels)},
            {k: label.zh for k, label in enumerate(labels)},
        )

    def _set(self, model: Model, prop: str, en: Any, zh: Any) -> None:
        if not model.name:
            model.name = f"worded-{len(self.entries)}"
        setattr(model, prop, en)
        self.entries.append([model.name, prop, en, zh])

    def set_column(self, source: ColumnDataSource, column: str, values: Sequence[Both]) -> None:
        """Fill a text column of a source, one value a row."""
        if not source.name:
            source.name = f"worded-source-{len(self.columns)}"
        source.data[column] = [value.en for value in values]
        self.columns.append(
            [source.name, column, [v.en for v in values], [v.zh for v in values]]
        )  # fmt: skip


def _renumbered(value: Any, names: dict[str, str]) -> Any:
    """Return a serialised document with other ids; Bokeh shares parts of it, so it is copied."""
    if isinstance(value, dict):
        out = {key: _renumbered(item, names) for key, item in value.items()}
        old = value.get("id")
        if isinstance(old, str):
            out["id"] = names.setdefault(old, f"m{len(names) + 1}")
        return out
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return [_renumbered(item, names) for item in value]
    return value


@lru_cache(maxsize=1)
def _theme() -> Theme:
    return Theme(json=_THEME)


def plot_json(model: Model) -> dict[str, Any]:
    """Return what ``Bokeh.embed.embed_item`` takes; models are numbered from 1 in every call.

    Bokeh numbers models by a counter of the process, so the same plot would differ from one call
    to the next. The document is made by hand: ``bokeh.embed.json_item`` copies and checks each
    plot again, which took as long as writing it out (0.39 s against 0.23 s for 13 charts).
    """
    document = Document(theme=_theme())
    document.add_root(model)
    names: dict[str, str] = {}
    written = _renumbered(document.to_json(deferred=False), names)
    document.clear()
    return {"doc": written, "root_id": names[model.id], "target_id": None}


def script_json(value: Any) -> Markup:
    """Return JSON that cannot end a script element, whatever names are in it."""
    dumped = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for char in "<>&\u2028\u2029":
        dumped = dumped.replace(char, f"\\u{ord(char):04x}")
    return Markup(dumped)  # noqa: S704  no < or & is left


@lru_cache(maxsize=1)
def bokeh_script() -> Markup:
    """Return BokehJS itself, from the installed package, to be put into a script element.

    The library's own text is trusted; only an end tag inside it would break the page.
    """
    source = files("bokeh").joinpath("server", "static", "js", "bokeh.min.js")
    return Markup(source.read_text(encoding="utf-8").replace("</script", "<\\/script"))  # noqa: S704
