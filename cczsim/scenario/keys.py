"""Keys of a scenario: how one is declared, and how a tree of values is read against them.

A section of the scenario is a frozen dataclass whose fields are made by :func:`key`. Defaults are
written as a user would write them, so one reader serves both and a resolved scenario can be
written back without rounding. This module knows no file: a :class:`Node` carries its place along.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any, Final

from cczsim.errors import CczsimError, Fault, UnitError
from cczsim.scenario.condition import read_condition
from cczsim.units import parse

REQUIRED: Final = "·required·"
Path = tuple[str | int, ...]


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


@dataclass(frozen=True)
class KeySpec:
    """What a key may hold.

    Parameters
    ----------
    form : str
        A key of :data:`FORMS`.
    meaning : str
        One sentence for ``explain``.
    default : object
        As a user would write it; None where the key may be left out; :data:`REQUIRED`.
    dimension : str
        Of a quantity, condition or share by area.
    choices : tuple of str
    low, high, above : float, optional
        Bounds in SI.
    table : type, optional
        The section that a ``table`` or an item of ``tables`` is read as.
    source : str
        Where the default comes from.
    since : str
        Version of cczsim that brought the key.
    """

    form: str
    meaning: str
    default: Any = None
    dimension: str = ""
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    above: float | None = None
    table: type | None = None
    source: str = "convention"
    since: str = "0.1"

    @property
    def expected(self) -> str:
        """What a user may write, in words."""
        text = FORMS[self.form]
        if self.dimension:
            text = text.replace("QUANTITY", f"a {self.dimension.replace('_', ' ')}")
            text = text.replace("EXAMPLE", EXAMPLES[self.dimension])
        if self.choices:
            text += f" {', '.join(self.choices)}"
        return text


FORMS: Final[dict[str, str]] = {
    "text": "text in quotes",
    "texts": "text in quotes, or a list of texts",
    "integer": "a whole number",
    "number": "a number",
    "numbers": "a list of numbers",
    "boolean": "true or false",
    "quantity": 'QUANTITY such as "EXAMPLE"',
    "choice": "one of",
    "choices": "one of, or a list of",
    "path": "the path of a file or folder, relative to this file",
    "paths": "a list of paths, relative to this file",
    "condition": 'a rule such as ">= EXAMPLE"',
    "by_area": 'QUANTITY such as "EXAMPLE", or a table of them by tier or district',
    "rules": 'a table of rules such as ">= 7 km/km2"',
    "table": "a table of keys",
    "tables": "a list of tables of keys",
    "line": 'coordinates "longitude latitude; longitude latitude"',
    "variants": "a list of tables, each with its kind",
}
EXAMPLES: Final[dict[str, str]] = {
    "length": "400 m", "area": "12 km2", "time": "6 min", "speed": "50 km/h",
    "flow": "1800 pce/h", "density": "7 km/km2", "share": "12 %", "money": "1.2e9 CNY",
    "value_of_time": "30 CNY/h", "money_per_length": "0.5 CNY/km", "count": "4",
}  # fmt: skip


def key(form: str, meaning: str, **options: Any) -> Any:
    """Declare a key of a section; see :class:`KeySpec` for the options."""
    return field(metadata={"key": KeySpec(form, meaning, **options)})


def keys_of(section: type) -> dict[str, KeySpec]:
    """Return the declared keys of a section by the names that users write."""
    return {_written(f.name): f.metadata["key"] for f in fields(section) if "key" in f.metadata}


def _written(name: str) -> str:
    return name.rstrip("_")


def show_key(path: Path) -> str:
    """Return a path as users read it: ``changes[2].set.speed`` (items counted from 1)."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def shown(value: Any) -> str:
    """Return a TOML value as a short word for messages."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, str):
        return repr(value if len(value) < 60 else value[:57] + "…")
    return str(value)


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
        for item in fields(cls):
            name = _written(item.name)
            spec = specs.get(name)
            if spec is None:
                continue
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
                values[item.name] = None
                continue
            values[item.name], plain[name] = self.value(spec, child, here)
        if len(self.faults) > before or (self.partial and not path):
            return None, plain
        made = cls(**values, **more)
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
            if not isinstance(child.value, str):
                self.fault(
                    child.where,
                    (*path, name),
                    shown(child.plain),
                    'a rule in quotes such as ">= 7 km/km2"',
                )
        return {n: str(child.value) for n, child in node.value.items()}, node.plain

    def _line(self, spec: KeySpec, node: Node, path: Path) -> tuple[Any, Any]:
        if not isinstance(node.value, str):
            return self._wrong(spec, node, path)
        points = read_points(node.value)
        if points is None or len(points) < 2:
            return self._wrong(spec, node, path, "give two points or more, WGS-84 degrees")
        return points, node.value


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


def dotted(paths: Iterable[str]) -> list[str]:
    """Return key paths without the positions in lists, each once, in order."""
    import re

    return list(dict.fromkeys(re.sub(r"\[\d+\]", "", path) for path in paths))
