"""Scenario files: TOML with ``extends``, every key known by file and line."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from cczsim.errors import CczsimError, Fault, FaultCollector, InputError, ScenarioError
from cczsim.io.observed_trips import read_observed
from cczsim.io.toml_file import nearest_file, parse_toml
from cczsim.io.toml_lines import key_lines
from cczsim.scenario.reader import Node
from cczsim.scenario.spec import ScenarioSpec, base_unknown, read_spec
from cczsim.scenario.versions import up_to_date

DATA_VARIABLE: Final = "CCZSIM_DATA"
_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
# What a file says about itself and hands on to nobody who extends it.
_OWN_KEYS: Final = ("cczsim", "extends", "changes_from_base")


def read_scenario(path: str | Path) -> ScenarioSpec:
    """Read a scenario file with all that it extends, and the tables that its changes name.

    Returns
    -------
    ScenarioSpec
        Checked as far as can be without its network.

    Raises
    ------
    InputError, ScenarioError
        With every fault of the file, each with file, line and key.
    """
    faults: list[Fault] = []
    notes: list[str] = []
    tree = _read_tree(Path(path), (), faults, notes)
    if tree is None:
        raise InputError(faults)
    spec: ScenarioSpec | None = None
    try:
        spec = read_spec(tree, Path(path).stem, resolve_path)
        spec = replace(_load_tables(spec), notes=(*notes, *spec.notes))
    except CczsimError as error:
        faults.extend(error.faults)
    if spec is not None and spec.compare_to is not None and _same(spec.compare_to, path):
        where = f"{spec.origins['compare_to']}: compare_to"
        faults.append(Fault(where, "the scenario itself", "another scenario"))
    if faults or spec is None:  # a base that could not be read leaves faults and no scenario
        raise ScenarioError(faults)
    return spec


def _same(a: str | Path, b: str | Path) -> bool:
    return Path(a).resolve() == Path(b).resolve()


def read_toml(path: Path, expected: str = "a scenario file") -> Node:
    """Read a TOML file as a tree that knows the line of every key.

    Raises
    ------
    InputError
        The file cannot be read or is no TOML.
    """
    values, text = parse_toml(path, expected)
    lines = key_lines(text)
    return _tree(values, (), lines, str(path), str(path.parent), 1)


def _tree(
    value: Any, path: tuple[str | int, ...], lines: Mapping[tuple[str | int, ...], int],
    file: str, folder: str, line: int,
) -> Node:  # fmt: skip
    line = lines.get(path, line)
    if isinstance(value, dict):
        value = {k: _tree(v, (*path, k), lines, file, folder, line) for k, v in value.items()}
    elif isinstance(value, list):
        value = [_tree(v, (*path, i), lines, file, folder, line) for i, v in enumerate(value)]
    return Node(value, f"{file}:{line}", folder)


def _read_tree(
    path: Path, chain: tuple[Path, ...], faults: list[Fault], notes: list[str]
) -> Node | None:
    """Read a file and merge it over what it extends; None (and faults) if it cannot be read."""
    try:
        tree, done = up_to_date(read_toml(path))
        notes += done
    except (InputError, ScenarioError) as error:
        faults.extend(error.faults)
        return None
    parent = tree.value.get("extends")
    if parent is None:
        return tree
    where = f"{parent.where}: extends"
    if not isinstance(parent.value, str):
        faults.append(Fault(where, repr(parent.plain), "the path of a scenario file, in quotes"))
        return tree
    chain = (*chain, path)
    try:
        base = Path(resolve_path(parent.value, parent, "extends"))
    except CczsimError as error:
        faults.extend(error.faults)
        return _without_required(tree)
    if any(_same(base, file) for file in chain):
        names = " → ".join(file.name for file in (*chain, base))
        faults.append(Fault(where, f"a circle: {names}", "a file that does not extend this one"))
        return _without_required(tree)
    below = _read_tree(base, chain, faults, notes)
    if below is None:
        return _without_required(tree)
    whole = merge(below, tree)
    return _without_required(whole) if base_unknown(below) else whole


def _without_required(tree: Node) -> Node:
    """Mark a tree whose base is unknown, so that what the base would hold is not asked for."""
    return replace(tree, value={**tree.value, "extends": Node(None, tree.where, tree.folder)})


def merge(below: Node, above: Node) -> Node:
    """Return a scenario over the one it extends.

    Tables are merged key by key and everything else is replaced, but for ``changes``: those of
    the base come first, unless ``changes_from_base = false``. A new ``title`` takes the title in
    the other language out, since that would speak of the base; so do other words in tables.
    """
    values = {k: v for k, v in _kept(below, above).items() if k not in _OWN_KEYS}
    keep = above.value.get("changes_from_base")
    if keep is not None and keep.value is False:
        values.pop("changes", None)
    for name, node in above.value.items():
        old = values.get(name)
        if name == "changes" and old is not None and _lists(old, node):
            values[name] = replace(node, value=[*old.value, *node.value])
        else:
            values[name] = node if old is None else _over(old, node)
    return replace(above, value=values)


def _kept(below: Node, above: Node) -> dict[str, Node]:
    """Return a table without what translates words that the table above it replaces."""
    return {
        name: node
        for name, node in below.value.items()
        if not (name.endswith("_zh") and name.removesuffix("_zh") in above.value)
    }


def _lists(a: Node, b: Node) -> bool:
    return isinstance(a.value, list) and isinstance(b.value, list)


def _over(below: Node, above: Node) -> Node:
    if not (isinstance(below.value, dict) and isinstance(above.value, dict)):
        return above
    values = _kept(below, above)
    for name, node in above.value.items():
        values[name] = _over(values[name], node) if name in values else node
    return replace(above, value=values)


def resolve_path(text: str, node: Node, key: str) -> str:
    """Return a written path as one that can be opened from here.

    ``${CCZSIM_DATA}`` stands for the folder of real inputs. Other paths start at the folder of
    the file that they are written in.

    Raises
    ------
    InputError
        The variable is unknown or not set, or there is nothing at the path.
    """
    where = f"{node.where}: {key}"
    for name in _VARIABLE.findall(text):
        if name != DATA_VARIABLE:
            raise InputError.of(
                where, f"${{{name}}}", f"${{{DATA_VARIABLE}}}, the one known variable"
            )
        if not os.environ.get(name):
            raise InputError.of(
                where, f"{text!r} while {name} is not set", "the folder of real inputs",
                f"set it first: export {name}=/path/to/data",
            )  # fmt: skip
    path = Path(_VARIABLE.sub(lambda m: os.environ[m[1]], text))
    full = Path(os.path.normpath(Path(node.folder) / path))
    if not full.exists():
        raise InputError.of(
            where, f"{text!r}, nothing at {str(full)!r}", "an existing file or folder",
            nearest_file(full),
        )  # fmt: skip
    return str(full)


def _load_tables(spec: ScenarioSpec) -> ScenarioSpec:
    """Put what the files of a scenario hold into it."""
    from cczsim.io.length_bands import read_bands
    from cczsim.io.line_stops import read_line_stops
    from cczsim.scenario.change_spec import TransitLine

    faults = FaultCollector(InputError)
    changes = []
    for change in spec.changes:
        made = change
        if isinstance(change, TransitLine) and change.add is not None and change.add.file:
            try:
                rows = read_line_stops(Path(change.add.file))
                made = replace(change, add=replace(change.add, rows=rows))
            except CczsimError as error:
                faults.extend(error.faults)
        changes.append(made)
    demand = spec.demand
    if demand.length_factors is not None:
        try:
            bands = read_bands(Path(demand.length_factors), "factor")
            demand = replace(demand, length_bands=bands)
        except CczsimError as error:
            faults.extend(error.faults)
    if demand.observed is not None:
        demand = replace(demand, read_observed=partial(read_observed, Path(demand.observed)))
    faults.raise_if_any()
    return replace(spec, changes=tuple(changes), demand=demand)
