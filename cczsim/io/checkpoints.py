"""Steps of runs that are not finished, kept beside their results so that they can be resumed.

A checkpoint is an ``.npz`` of plain arrays with one more that holds, as JSON, the dataclasses that
they belong to; no code is stored and none is run on reading. Its name holds a digest of all that
the step was made from, so that a stale one is never taken. What is read is bit for bit what was
kept.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import json
import os
import shutil
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import numpy as np

from cczsim.io.npz_file import UNREADABLE, open_arrays

FOLDER: Final = ".checkpoints"
_TREE: Final = "tree"


class Checkpoints:
    """Checkpoints of the runs whose results go to one folder.

    Parameters
    ----------
    out : Path
        The folder of results; checkpoints go to ``out/.checkpoints``.
    """

    def __init__(self, out: Path) -> None:
        self.folder = out / FOLDER

    def keep(self, name: str, key: str, value: Any) -> None:
        """Keep what a step made; older ones of that name are dropped.

        Raises
        ------
        OSError
            The disk refuses; what was kept before is still there.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self._path(name, key)
        part = path.with_suffix(".part")
        try:
            with part.open("wb") as stream:
                np.savez(stream, allow_pickle=False, **_arrays(value))
                stream.flush()
                os.fsync(stream.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        self.drop(name, but=path)

    def find(self, name: str, key: str) -> Any | None:
        """Return what was kept under a name from the same things; None if nothing whole was."""
        try:
            with open_arrays(self._path(name, key)) as arrays:
                return _value(json.loads(str(arrays[_TREE])), arrays)
        except (*UNREADABLE, AttributeError, ImportError):
            return None

    def drop(self, name: str, but: Path | None = None) -> None:
        """Forget what was kept under a name."""
        for path in self.folder.glob(f"{_stem(name)}-*"):
            if path != but:
                path.unlink(missing_ok=True)
        if self.folder.is_dir() and not any(self.folder.iterdir()):
            shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, name: str, key: str) -> Path:
        return self.folder / f"{_stem(name)}-{key[:16]}.npz"


def digest(made_from: Mapping[str, Any]) -> str:
    """Return the key of a step: a digest of all that it is made from, as plain JSON values."""
    text = json.dumps(made_from, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _stem(name: str) -> str:
    """Return a file name of fixed length, whatever a scenario is called."""
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _arrays(value: Any) -> dict[str, Any]:
    arrays: dict[str, Any] = {}
    tree = _tree(value, arrays)
    return {**arrays, _TREE: np.array(json.dumps(tree, ensure_ascii=False))}


def _tree(value: Any, arrays: dict[str, Any]) -> Any:
    """Return a value as JSON; arrays are put aside under names that stand in their place."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind not in "biuf":
            return {"text": [str(item) for item in value.tolist()]}
        name = f"a{len(arrays)}"
        arrays[name] = value
        return {"array": name}
    if isinstance(value, StrEnum):
        return {"enum": _place(type(value)), "value": value.value}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {f.name: getattr(value, f.name) for f in dataclasses.fields(value) if f.init}
        return {
            "object": _place(type(value)),
            "fields": {name: _tree(item, arrays) for name, item in fields.items()},
        }
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return {
            "object": _place(type(value)),
            "fields": {name: _tree(getattr(value, name), arrays) for name in value._fields},
        }
    if isinstance(value, tuple | list):
        return {"tuple": [_tree(item, arrays) for item in value]}
    if isinstance(value, Mapping):
        return {"dict": [[str(k), _tree(item, arrays)] for k, item in value.items()]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a checkpoint cannot hold {type(value).__name__}")


def _value(tree: Any, arrays: Mapping[str, Any]) -> Any:
    if not isinstance(tree, dict):
        return tree
    if "array" in tree:
        return arrays[tree["array"]]
    if "text" in tree:
        return np.array(tree["text"], dtype=np.dtypes.StringDType())
    if "enum" in tree:
        return _class(tree["enum"], StrEnum)(tree["value"])
    if "object" in tree:
        kind: Any = _class(tree["object"], object)
        if not (hasattr(kind, "__dataclass_fields__") or hasattr(kind, "_fields")):
            raise TypeError(f"{tree['object']} is no class of data")
        return kind(**{name: _value(item, arrays) for name, item in tree["fields"].items()})
    if "tuple" in tree:
        return tuple(_value(item, arrays) for item in tree["tuple"])
    return {name: _value(item, arrays) for name, item in tree["dict"]}


def _place(kind: type) -> str:
    return f"{kind.__module__}:{kind.__qualname__}"


def _class(place: str, base: type) -> Any:
    """Return one of this package's own classes by its place; nothing else is ever made."""
    module, _, name = place.partition(":")
    if not module.startswith("cczsim.") or not name.isidentifier():
        raise TypeError(f"{place} is no class of cczsim")
    kind = getattr(importlib.import_module(module), name)
    if not isinstance(kind, type) or not issubclass(kind, base) or kind.__module__ != module:
        raise TypeError(f"{place} is no class of cczsim")
    return kind
