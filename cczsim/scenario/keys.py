"""Keys of a scenario, declared.

A section of the scenario is a frozen dataclass whose fields are made by :func:`key`. Defaults are
written as a user would write them, so one reader serves both and a resolved scenario can be
written back without rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, Final

from cczsim.units import SI_NAME, UNITS, parse

REQUIRED: Final = "·required·"
Path = tuple[str | int, ...]


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
    "value": 'a number, or a quantity in quotes such as "25 CNY/h"',
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
    "sections": "a table of named tables of keys",
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


def params(section: type) -> Any:
    """Declare a field that is made from keys which users write in the section around it."""
    return field(metadata={"keys_of": section})


def keys_of(section: type) -> dict[str, KeySpec]:
    """Return the keys of a section by the names that users write.

    Fields that :func:`key` made are keys, and so are the fields of a params dataclass of another
    room that carry ``dimension``, ``meaning`` and ``source`` in their metadata, in SI. The keys of
    a field that :func:`params` made stand among those of its section.
    """
    found: dict[str, KeySpec] = {}
    for item in fields(section):
        if "key" in item.metadata:
            found[written(item.name)] = item.metadata["key"]
        elif "dimension" in item.metadata:
            found[item.name] = _of_params(item)
        elif "keys_of" in item.metadata:
            found |= keys_of(item.metadata["keys_of"])
    return found


_BY_AREA: Final = "by_area"
_SHOWN: Final[dict[str, tuple[str, ...]]] = {
    "length": ("km", "m"), "area": ("km2", "m2"), "time": ("min", "s"), "speed": ("km/h", "m/s"),
    "share": ("%",), "density": ("km/km2",), "value_of_time": ("CNY/h",), "money": ("CNY",),
    "money_per_length": ("CNY/km", "CNY/m"), "flow": ("pce/h",),
}  # fmt: skip


def _of_params(item: Field[Any]) -> KeySpec:
    default = item.default if item.default_factory is MISSING else item.default_factory()
    by_area = isinstance(default, Mapping) or "dict" in str(item.type)
    dimension = str(item.metadata["dimension"])
    return KeySpec(
        _BY_AREA if by_area else "choice" if item.metadata.get("choices") else "quantity",
        str(item.metadata["meaning"]),
        default=_aswritten(default, dimension),
        dimension=dimension,
        choices=tuple(item.metadata.get("choices", ())),
        low=item.metadata.get("low", None if by_area or "constant" in item.name else 0.0),
        high=item.metadata.get("high"),
        above=item.metadata.get("above", -1.0 if by_area else None),
        source=str(item.metadata["source"]),
    )


def _aswritten(value: Any, dimension: str) -> Any:
    """Return an SI value as a user would write it, such that it is read back to the same bits."""
    if isinstance(value, Mapping):
        return {name: _aswritten(inner, dimension) for name, inner in value.items()}
    if value is None or isinstance(value, str | bool):
        return value
    for unit in _SHOWN.get(dimension, ()):
        for digits in range(1, 9):
            text = f"{value / UNITS[dimension][unit]:.{digits}g} {unit}"
            if "e" not in text and parse(text, dimension) == value and _is_handy(text):
                return text
    return value if "" in UNITS[dimension] else f"{value!r} {SI_NAME[dimension]}"


def _is_handy(text: str) -> bool:
    return abs(float(text.split()[0])) >= 0.1 or text.startswith("0 ")


def written(name: str) -> str:
    """Return a field's name as users write it: Python's own words end in an underscore."""
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
