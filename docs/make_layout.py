"""Write the list of modules in docs/LAYOUT.md from the modules: ``python docs/make_layout.py``."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = Path(__file__).with_name("LAYOUT.md")
BEGIN, END = "<!-- modules -->\n", "<!-- end of modules -->\n"


def first_line(path: Path) -> str:
    """Return what a module says it is."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.split("\n", 1)[0].replace("|", "\\|")


def module_list() -> str:
    """Return a table of modules for each folder."""
    package = ROOT / "cczsim"
    lines = []
    for folder in [package, *sorted(p for p in package.rglob("*") if p.is_dir())]:
        modules = sorted(p for p in folder.glob("*.py") if p.name != "__init__.py")
        if not modules:
            continue
        about = first_line(folder / "__init__.py")
        lines += [f"### `{folder.relative_to(ROOT).as_posix()}/`", "", about, ""]
        lines += ["| module | what it holds |", "|---|---|"]
        lines += [f"| `{path.name}` | {first_line(path)} |" for path in modules]
        lines.append("")
    return "\n".join(lines)


def document() -> str:
    """Return the whole page with the list as it is now."""
    head, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
    return head + BEGIN + "\n" + module_list() + "\n" + END + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(document(), encoding="utf-8")
