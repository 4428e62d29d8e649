"""Recipes over a small grid of streets, and a feed by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from gtfs_case import FILES, Maker, pack


def grid_osm(n: int = 6, step: float = 0.01) -> str:
    """Return n x n streets of about 1 km; columns from 113.00 east, rows from 28.00 north."""
    nodes = [
        f'<node id="{1 + x + n * y}" lon="{113 + step * x:.4f}" lat="{28 + step * y:.4f}"/>'
        for y in range(n)
        for x in range(n)
    ]
    ways = []
    for k in range(n):
        for number, refs in (
            (1 + k, [1 + x + n * k for x in range(n)]),
            (101 + k, [1 + k + n * y for y in range(n)]),
        ):
            inner = "".join(f'<nd ref="{ref}"/>' for ref in refs)
            kind = "primary" if k == 2 else "residential"
            tags = f'<tag k="highway" v="{kind}"/><tag k="name" v="street {number}"/>'
            ways.append(f'<way id="{number}">{inner}{tags}</way>')
    return '<osm version="0.6">' + "".join(nodes + ways) + "</osm>"


@pytest.fixture
def make_recipe(tmp_path: Path) -> Callable[..., Path]:
    """Write a recipe over the grid, and files beside it."""

    def make(body: str, **files: str) -> Path:
        (tmp_path / "grid.osm").write_text(grid_osm(), encoding="utf-8")
        for name, text in files.items():
            (tmp_path / name.replace("_", ".")).write_text(text, encoding="utf-8")
        path = tmp_path / "recipe.toml"
        head = 'cczsim = 1\nkind = "osm"\nname = "grid"\n[source]\nfile = "grid.osm"\n'
        path.write_text(head + body, encoding="utf-8")
        return path

    return make


@pytest.fixture
def make(tmp_path: Path) -> Maker:
    """Write the feed by hand as a zip, some files replaced, by (old, new) or whole."""

    def write(*changes: tuple[str, str, str], **files: str | None) -> Path:
        all_files: dict[str, str | None] = dict(FILES)
        for name, old, new in changes:
            text = all_files[f"{name}.txt"]
            assert text is not None
            assert old in text
            all_files[f"{name}.txt"] = text.replace(old, new)
        all_files |= {f"{name}.txt": text for name, text in files.items()}
        return pack(tmp_path / "feed.zip", all_files)

    return write
