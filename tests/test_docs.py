"""Documents that are made from code, or that the build takes commands from, stay true."""

from __future__ import annotations

import importlib.util
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from cczsim.cli import build_parser


@pytest.mark.parametrize("page", ["data", "layout"])
def test_pages_made_from_code_are_up_to_date(page: str, repository: Path) -> None:
    script = repository / f"docs/make_{page}.py"
    spec = importlib.util.spec_from_file_location(script.stem, script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    stored = (repository / f"docs/{page.upper()}.md").read_text(encoding="utf-8")
    assert module.document() == stored, f"run: python docs/make_{page}.py"


def test_commands_in_readme_are_commands(repository: Path) -> None:
    text = (repository / "README.md").read_text(encoding="utf-8")
    words = set()
    for line in re.findall(r"^cczsim (.*)$", text, re.M):
        words.add(build_parser().parse_args(shlex.split(line, comments=True)).command)
    assert words >= {"run", "validate", "diff", "compare", "density", "network", "assign", "init",
                     "schema", "explain", "warmup"}  # fmt: skip


@pytest.mark.parametrize("marker", ["main", "test"])
def test_readme_holds_each_command_as_one_line(repository: Path, marker: str) -> None:
    text = (repository / "README.md").read_text(encoding="utf-8")
    block = re.search(rf"^<!-- {marker} -->\n```sh\n(.*?)\n```", text, re.M | re.S)
    assert block is not None
    assert "\n" not in block[1]
    assert "-c constraints.txt" in block[1]


def test_layout_names_every_module(repository: Path) -> None:
    layout = (repository / "docs/LAYOUT.md").read_text(encoding="utf-8")
    modules = [p for p in (repository / "cczsim").rglob("*.py") if p.name != "__init__.py"]
    assert modules
    missing = [str(p.relative_to(repository)) for p in modules if p.name not in layout]
    assert not missing


def test_links_between_documents_lead_somewhere(repository: Path) -> None:
    broken = [
        f"{page.name}: {target}"
        for page in [*repository.glob("*.md"), *(repository / "docs").rglob("*.md")]
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert not broken


def test_constraints_pin_versions_only(repository: Path) -> None:
    lines = (repository / "constraints.txt").read_text(encoding="utf-8").split()
    assert lines
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+==[A-Za-z0-9_.+!]+", line) for line in lines)


def test_ci_takes_its_commands_from_readme(repository: Path) -> None:
    script = (repository / ".ci/run").read_text(encoding="utf-8")
    assert "pytest" not in script
    assert "cczsim run" not in script
    subprocess.run(["bash", "-n", str(repository / ".ci/run")], check=True)
