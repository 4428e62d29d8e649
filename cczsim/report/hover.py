"""What the map says about the thing that the mouse points at."""

from __future__ import annotations

from typing import Any

from bokeh.models import GlyphRenderer, HoverTool

from cczsim.report.embed import FONTS, INK


def add_hover(plot: Any, drawn: GlyphRenderer, name: str, lines: int, side: str) -> None:
    """Show the text columns ``t0``, ``t1``, … of what the mouse points at; t0 is its title."""
    body = "".join(f'<div style="color:#4a5661">@t{k}</div>' for k in range(1, lines))
    plot.add_tools(
        HoverTool(
            renderers=[drawn], name=f"hover-{name}", visible=False, limit=1, attachment=side,
            point_policy="follow_mouse", line_policy="interp",
            tooltips=f'<div style="font:13px/1.45 {FONTS.replace(chr(34), chr(39))};color:{INK};'
            f'max-width:340px"><div style="font-weight:600">@t0</div>{body}</div>',
        )
    )  # fmt: skip
