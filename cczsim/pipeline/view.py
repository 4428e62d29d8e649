"""``cczsim view``: serve results to a browser on this machine, and to nobody else."""

from __future__ import annotations

import html
import os
import webbrowser
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copyfileobj
from typing import Any, Final, cast
from urllib.parse import quote, unquote, urlsplit

from cczsim.errors import InputError
from cczsim.pipeline.summary import write_line

HOST: Final = "127.0.0.1"
PAGES: Final = ("report.html", "rank.html", "design.html", "network.html")
"""What runs, rankings, designs and built networks leave for readers."""

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".toml": "text/plain; charset=utf-8",
    ".log": "text/plain; charset=utf-8",
    ".gpkg": "application/geopackage+sqlite3",
    ".parquet": "application/vnd.apache.parquet",
}
# The page carries its scripts and pictures inside and fetches nothing; Bokeh builds functions.
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'unsafe-inline'; img-src data: blob:; font-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def view(folder: Path, *, port: int = 0, browser: bool = True) -> int:
    """Serve a result, or a folder of results, until interrupted.

    Parameters
    ----------
    folder : Path
    port : int
        0 takes a free one.
    browser : bool
        Open the page too, where this machine has a screen.

    Raises
    ------
    InputError
        The folder holds no result; the port is taken.
    """
    pages = pages_of(folder)
    try:
        server = make_server(folder, pages, port)
    except OSError as error:
        raise InputError.of(
            f"--port {port}", error.strerror or str(error), "a free port", "leave it out to get one"
        ) from None
    with server:
        address = f"http://{HOST}:{server.server_port}/"
        write_line(f"{address} shows {', '.join(pages)}; Ctrl-C ends it")
        if browser and _has_screen():
            webbrowser.open(address)
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            write_line("ended")
    return 0


def pages_of(folder: Path) -> dict[str, Path]:
    """Return the pages of the results in a folder by name.

    Raises
    ------
    InputError
        The folder holds no result with a page.
    """
    if not folder.is_dir():
        raise InputError.of(str(folder), "no such folder", "a result folder, or one of results")
    root = folder.resolve()
    own = _pages(folder)
    pages = {root.name: own[0]} if own else {}
    if not pages:
        inner = [
            path for path in sorted(folder.iterdir())
            if path.is_dir() and not path.name.startswith(".")
            and path.resolve().is_relative_to(root)
        ]  # fmt: skip
        pages = {path.name: page for path in inner for page in _pages(path)[:1]}
    if not pages:
        raise InputError.of(
            str(folder), f"no {PAGES[0]} in it", "a result folder, or one of results",
            "name what cczsim run wrote, such as results/plan-2025",
        )  # fmt: skip
    return pages


def _pages(folder: Path) -> list[Path]:
    return [folder / name for name in PAGES if (folder / name).is_file()]


def make_server(folder: Path, pages: Mapping[str, Path], port: int) -> ThreadingHTTPServer:
    """Return a server of a folder, bound to this machine alone."""
    handler = partial(_Handler, root=folder.resolve(), pages=pages)
    server = ThreadingHTTPServer((HOST, port), handler)
    server.daemon_threads = True
    return server


class _Handler(BaseHTTPRequestHandler):
    """Answer with files of one folder; names no folder's content."""

    server_version = "cczsim"
    sys_version = ""
    timeout = 30.0

    def __init__(self, *args: Any, root: Path, pages: Mapping[str, Path]) -> None:
        self._root, self._pages = root, pages
        super().__init__(*args)

    def do_GET(self) -> None:
        """Answer with a file."""
        self._answer(body=True)

    def do_HEAD(self) -> None:
        """Answer with the headers of a file."""
        self._answer(body=False)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing: what was asked for is on the reader's screen."""

    def _answer(self, body: bool) -> None:
        # A page elsewhere that points its own name at this machine is not let in.
        port = cast(ThreadingHTTPServer, self.server).server_port
        if self.headers.get("Host") not in (f"{HOST}:{port}", f"localhost:{port}"):
            self._refuse(HTTPStatus.FORBIDDEN)
            return
        asked = unquote(urlsplit(self.path).path)
        if asked == "/":
            if len(self._pages) == 1:
                (page,) = self._pages.values()
                self._send(HTTPStatus.FOUND, b"", "text/plain", {"Location": self._link(page)})
            else:
                self._send(HTTPStatus.OK, self._index() if body else b"", _TYPES[".html"])
            return
        path = self._file(asked)
        if path is None:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        try:
            stream = path.open("rb")
        except OSError:
            self._refuse(HTTPStatus.NOT_FOUND)
            return
        with stream:
            self._head(HTTPStatus.OK, _TYPES[path.suffix], os.fstat(stream.fileno()).st_size)
            if body:
                copyfileobj(stream, self.wfile)

    def _file(self, asked: str) -> Path | None:
        """Return the file that is asked for, if it is one of a result and inside the folder."""
        if "\0" in asked or any(part.startswith(".") for part in asked.split("/") if part):
            return None
        try:
            path = (self._root / asked.lstrip("/")).resolve()
            inside = path.is_relative_to(self._root) and path.is_file()
        except (OSError, ValueError):
            return None
        return path if inside and path.suffix in _TYPES else None

    def _link(self, page: Path) -> str:
        return "/" + quote(page.resolve().relative_to(self._root).as_posix())

    def _index(self) -> bytes:
        rows = "".join(
            f'<li><a href="{html.escape(self._link(page))}">{html.escape(name)}</a></li>'
            for name, page in self._pages.items()
        )
        return (
            '<!doctype html><html lang="en"><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width"><title>cczsim</title>'
            "<style>body{font:18px/1.6 sans-serif;margin:2em}</style>"
            f"<h1>cczsim</h1><ul>{rows}</ul></html>"
        ).encode()

    def _refuse(self, status: HTTPStatus) -> None:
        self._send(status, f"{status.value} {status.phrase}\n".encode(), "text/plain")

    def _send(
        self, status: HTTPStatus, body: bytes, kind: str, more: Mapping[str, str] | None = None
    ) -> None:
        self._head(status, kind, len(body), more)
        if self.command != "HEAD":
            self.wfile.write(body)

    def _head(
        self, status: HTTPStatus, kind: str, size: int, more: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, **(more or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(size))
        self.end_headers()


def _has_screen() -> bool:
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
