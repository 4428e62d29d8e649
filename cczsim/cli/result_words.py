"""Commands on results: look at them, load them into a database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cczsim.cli.words import Commands, port

if TYPE_CHECKING:
    from cczsim.pipeline.progress import Progress


def add(commands: Commands) -> None:
    """Declare them."""
    view = commands.add("view", "show results in a browser of this machine", _view)
    view.add_argument("result", type=Path, metavar="RESULT", help="a result, or a folder of them")
    view.add_argument("--port", type=port, default=0, help="default: a free one")
    view.add_argument("--no-browser", action="store_true", help="only say the address")
    export = commands.add("export", "load a result into a PostGIS database", _export)
    export.add_argument("result", type=Path, metavar="RESULT")
    export.add_argument("target", metavar="postgresql://USER@HOST:PORT/DATABASE")
    export.add_argument("--as", dest="key", metavar="KEY", help="what the run is called there")


def _view(progress: Progress, result: Path, port: int, no_browser: bool) -> int:  # noqa: ARG001
    from cczsim.pipeline.view import view

    return view(result, port=port, browser=not no_browser)


def _export(progress: Progress, result: Path, target: str, key: str | None) -> int:
    from cczsim.pipeline.export import export

    return export(result, target, key=key, progress=progress)
