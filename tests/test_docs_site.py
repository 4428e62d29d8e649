"""The documentation builds without a warning, and its pages say what the code says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import cczsim
from cczsim.io.scenario_docs import all_keys


@pytest.fixture(scope="module")
def site(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs", reason="no mkdocs: pip install -e '.[docs]'")
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-d", str(out)],
        check=False, cwd=repository, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def text_of(page: Path) -> str:
    return re.sub(r"<[^>]+>", "", page.read_text(encoding="utf-8"))


def test_the_reference_names_every_command_key_and_function(site: Path) -> None:
    commands = text_of(site / "reference/commands.html")
    for name in ("run", "rank", "view", "export", "transit assign", "network build"):
        assert f"cczsim {name}" in commands
    keys = text_of(site / "reference/scenario.html")
    assert not [path for path, _ in all_keys() if path not in keys]
    python = text_of(site / "reference/python.html")
    assert not [name for name in cczsim.__all__ if f"cczsim.{name}" not in python]


def test_the_figures_of_the_fuzz_run_are_shown(site: Path) -> None:
    page = text_of(site / "trust.html")
    assert "osm pbf" in page
    assert "<!-- fuzz -->" not in page


def test_pages_fetch_nothing_from_elsewhere(site: Path) -> None:
    outside = re.compile(r'<(?:script|link|img)[^>]+(?:src|href)="(?:https?:)?//[^"]+"')
    for page in site.rglob("*.html"):
        found = [
            m for m in outside.findall(page.read_text(encoding="utf-8")) if "canonical" not in m
        ]
        assert not found, (page.name, found)
