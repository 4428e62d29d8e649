"""Pages of the site that are made from code: commands, keys of scenario files, Python names."""

from __future__ import annotations

import argparse
import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the made pages to those that are written."""
    made = {"commands": commands(), "scenario": scenario(), "python": python()}
    for name, text in made.items():
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the figures of the last full fuzz run where a page asks for them."""
    if "<!-- fuzz -->" not in markdown:
        return markdown
    stored = json.loads((Path(__file__).parent / "fuzz.json").read_text(encoding="utf-8"))
    head = ("cases", "read", "refused", "failed", "longest_cpu_s", "most_memory_mb")
    rows = [f"| input | {' | '.join(head)} |", "|---" * (len(head) + 1) + "|"]
    for name, row in stored["targets"].items():
        rows.append(f"| {name} | {' | '.join(str(row[key]) for key in head)} |")
    return markdown.replace("<!-- fuzz -->", "\n".join(rows))


def _parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    inner = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    if not inner:
        yield parser
    for action in inner:
        for child in action.choices.values():
            yield from _parsers(child)


def commands() -> str:
    """Return the help of every command."""
    from cczsim.cli import build_parser

    parts = [f"# Commands\n\n```\n{build_parser().epilog}```\n"]
    for parser in _parsers(build_parser()):
        parser.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=90)
        parts.append(f"## {parser.prog}\n\n```\n{parser.format_help()}```\n")
    return "\n".join(parts)


def scenario() -> str:
    """Return every key of scenario files with its meaning, unit, default and source."""
    from cczsim.io.scenario_docs import all_keys, explain_key

    head = (
        "# Scenario files\n\n`cczsim explain KEY` prints each of these; `cczsim schema` prints a "
        "JSON Schema that editors complete and check by.\n"
    )
    parts = [head]
    for path, _ in all_keys():
        parts.append(f"### {path}\n\n```\n{explain_key(path)}\n```\n")
    return "\n".join(parts)


def python() -> str:
    """Return every public Python name with its signature and documentation."""
    import cczsim

    parts = ["# Python\n\n```python\nimport cczsim\n```\n"]
    for name in sorted(cczsim.__all__, key=str.lower):
        value: Any = getattr(cczsim, name)
        head = f"{name}{inspect.signature(value)}" if inspect.isfunction(value) else name
        parts.append(f"## cczsim.{name}\n\n```\n{head}\n\n{inspect.getdoc(value)}\n```\n")
    return "\n".join(parts)
