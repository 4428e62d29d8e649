"""Scenario keys for people and tools: resolved.toml, JSON Schema, explain."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from cczsim.errors import InputError
from cczsim.scenario.change_spec import CHANGES
from cczsim.scenario.keys import REQUIRED, KeySpec, keys_of
from cczsim.scenario.spec import ScenarioSpec

_BARE: Final = re.compile(r"^[A-Za-z0-9_-]+$")
_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"


def all_keys(section: type = ScenarioSpec, prefix: str = "") -> Iterator[tuple[str, KeySpec]]:
    """Yield every key by its dotted path; those of changes as ``changes.KIND.key``."""
    for name, spec in keys_of(section).items():
        path = f"{prefix}{name}"
        yield path, spec
        if spec.form == "variants":
            for kind, cls in CHANGES.items():
                yield from all_keys(cls, f"{path}.{kind}.")
        elif spec.table is not None:
            yield from all_keys(spec.table, f"{path}.")


def toml_key(name: str) -> str:
    """Return a key as TOML spells it."""
    return name if _BARE.fullmatch(name) else toml_value(name)


def toml_value(value: Any) -> str:
    """Return a plain value as TOML on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # JSON and TOML escape alike, but for DEL, which JSON leaves bare and TOML forbids.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{toml_key(k)} = {toml_value(v)}" for k, v in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    return f"[{', '.join(toml_value(item) for item in value)}]"


def resolved_toml(spec: ScenarioSpec, folder: Path) -> str:
    """Return the scenario with every default filled in, each key with its source as a comment.

    Parameters
    ----------
    folder : Path
        Folder that the text is written to: relative paths are made to start there.
    """
    plain = _moved(spec.plain, "", spec.paths, folder)
    plain["extends"] = None
    lines = [
        f"# {spec.name}, resolved: every default filled in. Behind each key: where it was said.",
        "",
    ]
    tables: list[str] = []
    for name, value in plain.items():
        if value is None:
            continue
        if name == "changes":
            for row, change in enumerate(value, start=1):
                tables += ["", "[[changes]]"]
                tables += _pairs(change, f"changes[{row}]", spec.origins)
        elif isinstance(value, Mapping) and value:
            tables += ["", f"[{name}]", *_pairs(value, name, spec.origins)]
        else:
            lines += _pairs({name: value}, "", spec.origins)
    return "\n".join([*lines, *tables]) + "\n"


def _pairs(table: Mapping[str, Any], path: str, origins: Mapping[str, str]) -> list[str]:
    keys = dict(all_keys())
    lines = []
    for name, value in table.items():
        if value is None:
            continue
        here = f"{path}.{name}" if path else name
        origin = origins.get(here, origins.get(path, ""))
        if origin == "default":
            spec = keys.get(_declared(here, table))
            origin = f"default; {spec.source}" if spec else "default"
        else:
            origin = re.sub(r"^.*[\\/]", "", origin)
        lines.append(
            f"{toml_key(name)} = {toml_value(value)}" + (f"  # {origin}" if origin else "")
        )
    return lines


def _declared(path: str, table: Mapping[str, Any]) -> str:
    return re.sub(r"^changes\[\d+\]", f"changes.{table.get('kind')}", path)


def _moved(value: Any, path: str, paths: Mapping[str, str], folder: Path) -> Any:
    if isinstance(value, Mapping):
        return {k: _moved(v, f"{path}.{k}" if path else k, paths, folder) for k, v in value.items()}
    if isinstance(value, list):
        return [_moved(v, f"{path}[{i}]", paths, folder) for i, v in enumerate(value, start=1)]
    if isinstance(value, str) and path in paths and not value.startswith("${"):
        return Path(os.path.relpath(paths[path], folder)).as_posix()
    return value


def explain_key(name: str) -> str:
    """Return what a key means, in a few lines.

    Raises
    ------
    InputError
        There is no such key.
    """
    keys = dict(all_keys())
    wanted = re.sub(r"\[\d*\]", "", name)
    found = [path for path in keys if path == wanted]
    found = found or [path for path in keys if path.rpartition(".")[2] == wanted]
    if not found:
        near = get_close_matches(wanted, list(keys), 3, 0.5)
        hint = "did you mean " + " or ".join(repr(n) for n in near) + "?" if near else ""
        raise InputError.of(name, "no key of that name", "a key of a scenario file", hint)
    return "\n\n".join(_explained(path, keys[path], keys) for path in found)


def _explained(path: str, spec: KeySpec, keys: Mapping[str, KeySpec]) -> str:
    lines = [path, f"  {spec.meaning}", f"  write     {spec.expected}"]
    bounds = [
        f"{word} {value:g}"
        for word, value in (
            ("at least", spec.low),
            ("more than", spec.above),
            ("at most", spec.high),
        )
        if value is not None
    ]
    if bounds:
        lines.append(
            f"  bounds    {', '.join(bounds)}"
            + (" (1 is 100 %)" if spec.dimension == "share" else "")
        )
    if spec.default is REQUIRED:
        lines.append("  default   none, it must be given")
    elif spec.default is None:
        lines.append("  default   none, it may be left out")
    elif spec.form not in ("table", "tables", "variants"):
        lines += [f"  default   {toml_value(spec.default)}", f"  source    {spec.source}"]
    inner = [p for p in keys if p.startswith(path + ".") and "." not in p[len(path) + 1 :]]
    if inner:
        lines.append("  keys      " + ", ".join(p.rpartition(".")[2] for p in inner))
    lines.append(f"  since     {spec.since}")
    return "\n".join(lines)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of scenario files (draft 2020-12)."""
    return {"$schema": _DRAFT, "title": "cczsim scenario", **_object(ScenarioSpec)}


def _object(section: type) -> dict[str, Any]:
    keys = keys_of(section)
    required = [name for name, spec in keys.items() if spec.default is REQUIRED]
    out: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _property(spec) for name, spec in keys.items()},
    }
    return {**out, "required": required} if required else out


def _property(spec: KeySpec) -> dict[str, Any]:
    out: dict[str, Any] = {"description": f"{spec.meaning} ({spec.expected})"}
    if spec.default not in (None, REQUIRED):
        out["default"] = spec.default
    bare = spec.dimension in ("share", "count")
    quantity: dict[str, Any] = {"type": ["string", "number"] if bare else "string"}
    single: dict[str, dict[str, Any]] = {
        "text": {"type": "string"},
        "line": {"type": "string"},
        "path": {"type": "string"},
        "integer": {"type": "integer"},
        "number": {"type": "number"},
        "boolean": {"type": "boolean"},
        "value": {"type": ["string", "number"]},
        "quantity": quantity,
        "condition": quantity,
        "choice": {"enum": list(spec.choices)},
        "rules": {"type": "object", "additionalProperties": {"type": "string"}},
        "by_area": {"anyOf": [quantity, {"type": "object", "additionalProperties": quantity}]},
    }
    if spec.form in single:
        out |= single[spec.form]
        if spec.form in ("integer", "number"):
            names = {"low": "minimum", "high": "maximum", "above": "exclusiveMinimum"}
            out |= {n: getattr(spec, a) for a, n in names.items() if getattr(spec, a) is not None}
        return out
    many = {"texts": "text", "choices": "choice", "paths": "path", "numbers": "number"}
    if spec.form in many:
        one = single[many[spec.form]]
        listed = {"type": "array", "items": one}
        return out | ({"anyOf": [one, listed]} if spec.form in ("texts", "choices") else listed)
    if spec.form == "variants":
        kinds = []
        for kind, cls in CHANGES.items():
            item = _object(cls)
            item["properties"]["kind"] = {"const": kind}
            kinds.append(item)
        return out | {"type": "array", "items": {"oneOf": kinds}}
    assert spec.table is not None
    inner = _object(spec.table)
    if spec.form == "sections":
        return out | {"type": "object", "additionalProperties": inner}
    return out | ({"type": "array", "items": inner} if spec.form == "tables" else inner)
