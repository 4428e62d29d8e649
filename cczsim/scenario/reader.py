"""Read a tree of values against declared keys, with every fault at its place.

This module knows no file: a :class:`Node` carries its place along.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from typing import Any

from cczsim.errors import CczsimError, Fault, UnitError
from cczsim.scenario.condition import read_condition
from cczsim.scenario.keys import REQUIRED, KeySpec, Path, keys_of, show_key, shown, written
from cczsim.units import parse


@dataclass(frozen=True)
class Node:
    """A value with the place it was written at.

    Parameters
    ----------
    value : dict of str to Node, list of Node, or a scalar
    where : str
        ``file:line``.
    folder : str
        Where relative paths in the value start.
    """

    value: Any
    where: str
    folder: str = ""

    @property
    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {name: node.plain for name, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain for node in self.value]
        return self.value


def as_node(value: Any, where: str = "scenario", folder: str = "") -> Node:
    """Return plain values as a tree whose places are all the same."""
    if isinstance(value, Mapping):
        return Node({k: as_node(v, where, folder) for k, v in value.items()}, where, folder)
    if isinstance(value, list | tuple):
        return Node([as_node(item, where, folder) for item in value], where, folder)
    return Node(value, where, folder)


@dataclass
class Reader:
    """Reads trees of nodes against declared sections and gathers faults, never raising.

    Parameters
    ----------
    resolve : callable
        ``resolve(text, node, key) -> str`` turns a written path into one that can be opened, or
        raises CczsimError; the engine itself opens nothing.
    variants : dict
        Name of a ``variants`` key to its sections by kind.
    partial : bool
        Whether keys of the outermost table may be missing that must be given.
    faults : list of Fault
    origins : dict
        Every key that was looked at to its place, or ``default``.
    paths : dict
        Every key that names a file to where it is found.
    """

    resolve: Callable[[str, Node, str], str]
    variants: dict[str, dict[str, type]] = field(default_factory=dict)
    partial: bool = False
    faults: list[Fault] = field(default_factory=list)
    origins: dict[str, str] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)

    def fault(self, where: str, path: Path, found: str, expected: str, hint: str = "") -> None:
        """Note one fault at a key."""
        self.faults.append(Fault(f"{where}: {show_key(path)}".rstrip(": "), found, expected, hint))

    def section(
        self, cls: type, node: Node, path: Path = (), **more: Any
    ) -> tuple[Any, dict[str, Any]]:
        """Read a table; ``more`` are fields of ``cls`` that are no keys.

        Returns
        -------
        object, dict
            An instance of ``cls`` (None if something was wrong), and the plain values with every
            default filled in.
        """
        if not isinstance(node.value, dict):
            self.fault(node.where, path, shown(node.plain), "a table of keys")
            return None, {}
        before = len(self.faults)
        specs = keys_of(cls)
        self._unknown(node, path, specs)
        values: dict[str, Any] = {}
        plain: dict[str, Any] = {}
        for name, spec in specs.items():
            here = (*path, name)
            child = node.value.get(name)
            self.origins[show_key(here)] = child.where if child is not None else "default"
            if child is None:
                if spec.default is REQUIRED and self.partial and not path:
                    continue
                if spec.default is REQUIRED:
                    self.fault(node.where, here, "nothing", spec.expected, f'add "{name} = …"')
                    continue
                child = as_node(spec.default, f"default of {show_key(here)}", node.folder)
            if child.value is None:
                values[name] = None
                continue
            values[name], plain[name] = self.value(spec, child, here)
        if len(self.faults) > before or (self.partial and not path):
            return None, plain
        try:
            made = _made(cls, values, more)
        except CczsimError as error:
            for fault in error.faults:
                at = node.value.get(fault.where.rpartition(".")[2], node)
                self.faults.append(replace(fault, where=f"{at.where}: {fault.where}"))
            return None, plain
        for inner, found, expected, hint in getattr(made, "faults", tuple)():
            at = node.value.get(inner, node)
            self.fault(at.where, (*path, inner) if inner else path, found, expected, hint)
        return made, plain

    def _unknown(self, node: Node, path: Path, specs: Mapping[str, KeySpec]) -> None:
        for name, child in node.value.items():
            if name in specs:
                continue
            near = get_close_matches(name, list(specs), 1, 0.6)
            hint = f"did you mean {near[0]!r}?" if near else ""
            expected = "one of the keys " + ", ".join(specs) if not near else "a known key"
            self.fault(
                child.where, (*path, name), "a key that cczsim does not know", expected, hint
            )

    def value(self, spec: KeySpec, node: Node, path: Path) -> tuple[Any, Any]:
        """Read one value; returns it in SI, and as it is written to ``resolved.toml``."""
        raw = node.value
        match spec.form:
            case "table":
                assert spec.table is not None
                return self.section(spec.table, node, path)
            case "tables" | "variants":
                return self._list(spec, node, path)
            case "by_area":
                return self._by_area(spec, node, path)
            case "rules":
                return self._rules(node, path)
            case "texts" | "choices" | "paths" | "numbers":
                items = raw if isinstance(raw, list) else [node]
                one = {"texts": "text", "choices": "choice", "paths": "path", "numbers": "number"}
                single = KeySpec(**{**vars(spec), "form": one[spec.form]})
                if spec.form in ("paths", "numbers") and not isinstance(raw, list):
                    return self._wrong(spec, node, path)
                read = [self.value(single, item, path) for item in items]
                return tuple(v for v, _ in read), [p for _, p in read]
            case "sections":
                return self._sections(spec, node, path)
            case "line":
                return self._line(spec, node, path)
            case _:
                return self._scalar(spec, node, path)

    def _wrong(self, spec: KeySpec, node: Node, path: Path, hint: str = "") -> tuple[None, Any]:
        self.fault(node.where, path, shown(node.plain), spec.expected, hint)
        return None, node.plain

    def _scalar(self, spec: KeySpec, node: Node, path: Path) -> tuple[Any, Any]:
        raw = node.value
        number = isinstance(raw, int | float) and not isinstance(raw, bool)
        match spec.form:
            case "text" if isinstance(raw, str):
                return raw, raw
            case "boolean" if isinstance(raw, bool):
                return raw, raw
            case "value" if isinstance(raw, str) or number:
                return raw, raw
            case "choice" if isinstance(raw, str):
                if raw in spec.choices:
                    return raw, raw
                near = get_close_matches(raw, spec.choices, 1, 0.5)
                return self._wrong(spec, node, path, f"did you mean {near[0]!r}?" if near else "")
            case "integer" if isinstance(raw, int) and number:
                return self._bounded(spec, raw, node, path), raw
            case "number" if number:
                if not math.isfinite(raw):
                    return self._wrong(spec, node, path, "write a finite number")
                return self._bounded(spec, float(raw), node, path), raw
            case "path" if isinstance(raw, str):
                return self._path(raw, node, path), raw
            case "quantity" | "condition" if number or isinstance(raw, str):
                where = f"{node.where}: {show_key(path)}"
                try:
                    if spec.form == "condition":
                        return read_condition(raw, spec.dimension, where), raw
                    return self._bounded(spec, parse(raw, spec.dimension, where), node, path), raw
                except UnitError as error:
                    self.faults.extend(error.faults)
                    return None, raw
        return self._wrong(spec, node, path)

    def _path(self, raw: str, node: Node, path: Path) -> str | None:
        try:
            found = self.paths[show_key(path)] = self.resolve(raw, node, show_key(path))
        except CczsimError as error:
            self.faults.extend(error.faults)
            return None
        return found

    def _bounded(self, spec: KeySpec, number: Any, node: Node, path: Path) -> Any:
        rules = []
        if spec.low is not None and number < spec.low:
            rules.append(f"at least {spec.low:g}")
        if spec.above is not None and number <= spec.above:
            rules.append(f"more than {spec.above:g}")
        if spec.high is not None and number > spec.high:
            rules.append(f"at most {spec.high:g}")
        for rule in rules:
            unit = {"share": " (1 is 100 %)", "time": " s", "speed": " m/s", "length": " m"}
            self.fault(node.where, path, shown(node.plain), rule + unit.get(spec.dimension, ""))
        return number

    def _list(self, spec: KeySpec, node: Node, path: Path) -> tuple[Any, Any]:
        if not isinstance(node.value, list):
            return self._wrong(spec, node, path)
        made, plain = [], []
        for row, item in enumerate(node.value):
            here = (*path, row)
            cls = spec.table
            if cls is None:
                cls = self._variant(str(path[-1]), item, here)
            if cls is not None:
                one, shown_one = self.section(cls, item, here)
                made.append(one)
                plain.append(shown_one)
        return tuple(made), plain

    def _variant(self, name: str, item: Node, path: Path) -> type | None:
        kinds = self.variants[name]
        if not isinstance(item.value, dict):
            self.fault(item.where, path, shown(item.plain), "a table of keys")
            return None
        kind = item.value.get("kind")
        if kind is not None and kind.value in kinds:
            return kinds[kind.value]
        found = shown(kind.plain) if kind is not None else "nothing"
        near = get_close_matches(str(kind.plain), list(kinds), 1, 0.5) if kind is not None else []
        hint = f"did you mean {near[0]!r}?" if near else ""
        at = (kind or item).where
        self.fault(at, (*path, "kind"), found, "one of " + ", ".join(kinds), hint)
        return None

    def _by_area(self, spec: KeySpec, node: Node, path: Path) -> tuple[Any, Any]:
        single = KeySpec(**{**vars(spec), "form": "quantity"})
        if not isinstance(node.value, dict):
            read, plain = self.value(single, node, path)
            return {"all": read}, plain
        pairs = {n: self.value(single, child, (*path, n)) for n, child in node.value.items()}
        return {n: p[0] for n, p in pairs.items()}, {n: p[1] for n, p in pairs.items()}

    def _rules(self, node: Node, path: Path) -> tuple[Any, Any]:
        if not isinstance(node.value, dict):
            return self._wrong(KeySpec("rules", ""), node, path)
        for name, child in node.value.items():
            self.origins[show_key((*path, name))] = child.where
            if not isinstance(child.value, str):
                self.fault(
                    child.where,
                    (*path, name),
                    shown(child.plain),
                    'a rule in quotes such as ">= 7 km/km2"',
                )
        return {n: str(child.value) for n, child in node.value.items()}, node.plain

    def _sections(self, spec: KeySpec, node: Node, path: Path) -> tuple[Any, Any]:
        if not isinstance(node.value, dict):
            return self._wrong(spec, node, path)
        assert spec.table is not None
        pairs = {n: self.section(spec.table, c, (*path, n)) for n, c in node.value.items()}
        return {n: p[0] for n, p in pairs.items()}, {n: p[1] for n, p in pairs.items()}

    def _line(self, spec: KeySpec, node: Node, path: Path) -> tuple[Any, Any]:
        if not isinstance(node.value, str):
            return self._wrong(spec, node, path)
        points = read_points(node.value)
        if points is None or len(points) < 2:
            return self._wrong(spec, node, path, "give two points or more, WGS-84 degrees")
        return points, node.value


def _made(cls: type, values: dict[str, Any], more: dict[str, Any]) -> Any:
    """Return an instance; values by the names that users write."""
    arguments = dict(more)
    for item in fields(cls):
        if "keys_of" in item.metadata:
            inner = item.metadata["keys_of"]
            arguments[item.name] = _made(inner, values, {})
        elif written(item.name) in values and item.name not in more:
            arguments[item.name] = values[written(item.name)]
    return cls(**arguments)


def read_points(text: str) -> tuple[tuple[float, float], ...] | None:
    """Return the points of ``"lon lat; lon lat"``, or None if that is not what the text is."""
    points = []
    for part in text.split(";"):
        words = part.split()
        if len(words) != 2:
            return None
        try:
            lon, lat = float(words[0]), float(words[1])
        except ValueError:
            return None
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            return None
        points.append((lon, lat))
    return tuple(points)
