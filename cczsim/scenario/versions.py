"""Versions of the format of scenario files, and how a file of an older one is read.

Each file is brought up to date by itself, before it is merged with what it extends, so that files
of several versions go together. What was done is said, key by key, so that the file can be mended;
the file itself is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from cczsim.errors import ScenarioError
from cczsim.scenario.reader import Node

FORMAT: Final = 1
"""The version that is written and read as it stands."""
VERSION_KEY: Final = "cczsim"

Step = Callable[[Node], tuple[Node, tuple[str, ...]]]
"""Takes the tree of a file; returns it as the next version has it, and a sentence a change."""

STEPS: Final[Mapping[int, Sequence[Step]]] = {}
"""By version, what brings a file of it to the next. Whoever changes the format adds an entry."""


def up_to_date(tree: Node) -> tuple[Node, tuple[str, ...]]:
    """Return the tree of a file as the newest version has it, and what was done to it.

    A file that does not say its version is left as it is, for its reader to complain.

    Raises
    ------
    ScenarioError
        A version that is newer, or older than any that is known.
    """
    said = tree.value.get(VERSION_KEY)
    if said is None or not isinstance(said.value, int) or isinstance(said.value, bool):
        return tree, ()
    version, notes = said.value, list[str]()
    if version > FORMAT or (version < FORMAT and version not in STEPS):
        oldest = min(STEPS, default=FORMAT)
        known = f"{oldest} to {FORMAT}" if oldest < FORMAT else str(FORMAT)
        raise ScenarioError.of(
            f"{said.where}: {VERSION_KEY}", str(version), f"{known}, which this cczsim reads",
            "take a newer cczsim" if version > FORMAT else "bring the file up to date",
        )  # fmt: skip
    for number in range(version, FORMAT):
        for step in STEPS[number]:
            tree, done = step(tree)
            notes += done
    if version < FORMAT:
        place = said.where.rpartition(":")[0]
        notes.insert(0, f"{place}: format {version}, read as format {FORMAT}")
        tree = replace(tree, value={**tree.value, VERSION_KEY: replace(said, value=FORMAT)})
    return tree, tuple(notes)


def renamed(path: str, name: str) -> Step:
    """Return the step that gives a key another name in its table.

    Parameters
    ----------
    path : str
        ``assignment.gap``, or ``changes[].set.speed_limit`` for every item of a list.
    name : str
    """

    def move(table: dict[str, Node], old: str) -> Iterator[tuple[str, Node]]:
        if name in table:
            raise ScenarioError.of(
                f"{table[old].where}: {path}", f"both {old!r} and {name!r}",
                f"{name!r} alone, which {old!r} is called now",
            )  # fmt: skip
        yield from ((name if key == old else key, node) for key, node in table.items())

    return _at(
        path, lambda table, key: dict(move(table, key)),
        lambda node: f"{node.where}: {path} is called {name!r} now",
    )  # fmt: skip


def rewritten(path: str, value: Callable[[Any], Any], said: str) -> Step:
    """Return the step that writes the value of a key another way; ``said`` tells how."""

    def change(table: dict[str, Node], key: str) -> dict[str, Node]:
        node = table[key]
        return {**table, key: replace(node, value=value(node.value))}

    return _at(path, change, lambda node: f"{node.where}: {path} {said}")


def _at(
    path: str,
    change: Callable[[dict[str, Node], str], dict[str, Node]],
    note: Callable[[Node], str],
) -> Step:
    *tables, key = path.split(".")

    def step(tree: Node) -> tuple[Node, tuple[str, ...]]:
        notes: list[str] = []

        def inside(node: Node, rest: list[str]) -> Node:
            if not isinstance(node.value, dict):
                return node
            if not rest:
                if key not in node.value:
                    return node
                notes.append(note(node.value[key]))
                return replace(node, value=change(node.value, key))
            name, every = rest[0].removesuffix("[]"), rest[0].endswith("[]")
            child = node.value.get(name)
            if child is None or (every and not isinstance(child.value, list)):
                return node
            if every:
                child = replace(child, value=[inside(item, rest[1:]) for item in child.value])
            else:
                child = inside(child, rest[1:])
            return replace(node, value={**node.value, name: child})

        return inside(tree, tables), tuple(notes)

    return step
