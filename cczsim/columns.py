"""Declared array fields: cast, checked and write-protected once, at construction.

A domain object is a frozen dataclass that derives from :class:`Columns`; its array fields are
made by :func:`column`. After construction nobody checks them again, and nobody can write them.

Examples
--------
>>> from dataclasses import dataclass
>>> @dataclass(frozen=True, eq=False)
... class Poles(Columns):
...     height: Array = column("pole", "float64", "m", "height above ground", low=0.0)
>>> Poles(height=[2.5, 3]).height.dtype
dtype('float64')
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import Field, dataclass, field, fields, replace
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from cczsim.errors import ColumnError, Fault

Array = npt.NDArray[Any]
TEXT: Final = "text"
_MISSING: Final = object()
_SHOWN_ROWS: Final = 5


@dataclass(frozen=True)
class ColumnSpec:
    """What a column holds.

    Parameters
    ----------
    dim : str
        Name of its first axis. Columns of one object with the same ``dim`` have the same
        length; ``"link+1"`` is one longer than ``"link"`` and is an offset column.
    dtype : str
        A NumPy dtype name, or ``"text"`` (variable-width strings), or ``"object"``.
    unit : str
        Unit of the values, ``""`` if they have none.
    meaning : str
        One line for ``docs/DATA.md``.
    low, high : float, optional
        Inclusive bounds.
    above : float, optional
        Exclusive lower bound.
    nan_allowed : bool
        Whether NaN may stand for "not known".
    inf_allowed : bool
        Whether infinity may stand for "forbidden".
    index_of : str, optional
        The dimension that the values point into; checked against its length. ``-1`` is
        allowed where ``low`` is -1.
    """

    dim: str
    dtype: str
    unit: str
    meaning: str
    low: float | None = None
    high: float | None = None
    above: float | None = None
    nan_allowed: bool = False
    index_of: str | None = None
    inf_allowed: bool = False


def column(
    dim: str,
    dtype: str,
    unit: str,
    meaning: str,
    *,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    nan_allowed: bool = False,
    inf_allowed: bool = False,
    index_of: str | None = None,
    default: Any = _MISSING,
) -> Any:
    """Declare an array field of a :class:`Columns` object.

    A ``default`` is a scalar that fills the column where none is given; its length is that of
    the other columns of the same dimension. A ``default`` of None makes the column optional.
    """
    spec = ColumnSpec(
        dim, dtype, unit, meaning, low, high, above, nan_allowed, index_of, inf_allowed
    )
    if default is _MISSING:
        return field(metadata={"column": spec})
    if default is None:
        return field(default=None, metadata={"column": spec})
    return field(default=None, metadata={"column": spec, "fill": default})


def texts(values: Sequence[Any] | Array) -> Array:
    """Return values as an array of texts of any length."""
    if isinstance(values, np.ndarray) and values.dtype == np.dtypes.StringDType():
        return values.copy() if values.flags.writeable else values
    return np.array([str(item) for item in values], dtype=np.dtypes.StringDType())


def objects(values: Sequence[Any] | Array) -> Array:
    """Return values as an array of objects; NumPy would look inside of them."""
    out = np.empty(len(values), dtype=object)
    out[:] = list(values)
    return out


def _cast(value: Any, spec: ColumnSpec) -> Array:
    if spec.dtype == TEXT:
        return texts(value)
    if spec.dtype == "object":
        return objects(value)
    array = np.asarray(value)
    target = np.dtype(spec.dtype)
    if array.dtype == target:
        return np.array(array, copy=True) if array.flags.writeable else array
    if array.size and target.kind in "iu":
        if array.dtype.kind == "f" and not np.array_equal(array, np.floor(array)):
            raise ValueError(f"values that are not whole numbers for {spec.dtype}")
        info = np.iinfo(target)
        if array.dtype.kind in "iuf" and (array.min() < info.min or array.max() > info.max):
            raise ValueError(f"values outside the range of {spec.dtype}")
    return array.astype(target)


def _violations(array: Array, spec: ColumnSpec) -> Iterator[tuple[str, Array]]:
    if array.dtype.kind == "f":
        allowed = {"or NaN": spec.nan_allowed, "or inf": spec.inf_allowed}
        bad = np.isnan(array) & (not spec.nan_allowed) | np.isinf(array) & (not spec.inf_allowed)
        yield " ".join(["a finite number", *(text for text, may in allowed.items() if may)]), bad
    if array.dtype.kind not in "iuf":
        return
    with np.errstate(invalid="ignore"):
        if spec.low is not None:
            yield f"at least {spec.low:g}", array < spec.low
        if spec.above is not None:
            yield f"above {spec.above:g}", array <= spec.above
        if spec.high is not None:
            yield f"at most {spec.high:g}", array > spec.high


@dataclass(frozen=True, eq=False)
class Columns:
    """Base of the frozen domain objects.

    Raises
    ------
    ColumnError
        On construction, with every column that has a wrong type, length, sign or value; names
        the class, the column, the rule and the first rows at fault.
    """

    def __post_init__(self) -> None:
        faults: list[Fault] = []
        arrays: dict[str, Array] = {}
        sizes: dict[str, tuple[int, str]] = {}
        specs = self.specs()
        for name, spec in specs.items():
            value = getattr(self, name)
            if value is None:
                continue
            try:
                array = _cast(value, spec)
            except (TypeError, ValueError, OverflowError) as error:
                faults.append(Fault(self._where(name), str(error), f"{spec.dtype} values"))
                continue
            if array.ndim != 1:
                faults.append(Fault(self._where(name), f"shape {array.shape}", "one axis"))
                continue
            dim, offset = (spec.dim[:-2], 1) if spec.dim.endswith("+1") else (spec.dim, 0)
            size = len(array) - offset
            if size < 0:
                faults.append(Fault(self._where(name), "no values", "at least one offset"))
            elif sizes.setdefault(dim, (size, name))[0] != size:
                other_size, other = sizes[dim]
                faults.append(
                    Fault(
                        self._where(name),
                        f"{len(array)} values",
                        f"{other_size + offset} as in column {other} [{dim}]",
                    )
                )
            arrays[name] = array
        for item in fields(self):
            if "fill" in item.metadata and getattr(self, item.name) is None:
                spec = specs[item.name]
                size = sizes.get(spec.dim, (0, ""))[0]
                arrays[item.name] = _cast(
                    [item.metadata["fill"]] * size
                    if spec.dtype in (TEXT, "object")
                    else np.full(size, item.metadata["fill"], dtype=spec.dtype),
                    spec,
                )
        for name, array in arrays.items():
            spec = specs[name]
            rules = list(_violations(array, spec))
            if spec.index_of is not None and spec.index_of in sizes:
                rules.append(
                    (
                        f"an index below the {sizes[spec.index_of][0]} rows of [{spec.index_of}]",
                        array >= sizes[spec.index_of][0],
                    )
                )
                if spec.low is None:
                    rules.append(("an index, at least 0", array < 0))
            if spec.dim.endswith("+1") and len(array):
                rules.append(("offsets that never fall", np.diff(array, prepend=array[0]) < 0))
            for rule, bad in rules:
                if bad.any():
                    rows = np.flatnonzero(bad)
                    shown = ", ".join(f"row {r}: {array[r]}" for r in rows[:_SHOWN_ROWS])
                    more = f" and {len(rows) - _SHOWN_ROWS} more" if len(rows) > _SHOWN_ROWS else ""
                    faults.append(Fault(self._where(name), shown + more, rule))
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        if faults:
            raise ColumnError(faults)
        self.check()

    def check(self) -> None:
        """Check rules across columns; subclasses override this and raise ColumnError."""

    @classmethod
    def _where(cls, name: str) -> str:
        return f"{cls.__name__}.{name}"

    @classmethod
    def specs(cls) -> dict[str, ColumnSpec]:
        """Return the declared columns by name, in order."""
        return {f.name: f.metadata["column"] for f in fields(cls) if "column" in f.metadata}

    @classmethod
    def dims(cls) -> dict[str, list[str]]:
        """Return the names of the columns of each dimension, in order."""
        out: dict[str, list[str]] = {}
        for name, spec in cls.specs().items():
            out.setdefault(spec.dim, []).append(name)
        return out

    def size(self, dim: str) -> int:
        """Return the length of a dimension."""
        name = self.dims()[dim][0]
        return len(getattr(self, name))

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed; everything is checked again."""
        return replace(self, **changes)

    def take(self, dim: str, rows: Array) -> dict[str, Array]:
        """Return the columns of one dimension, restricted to or reordered by ``rows``."""
        return {name: getattr(self, name)[rows] for name in self.dims().get(dim, [])}


def field_of(cls: type[Columns], name: str) -> Field[Any]:
    """Return the dataclass field behind a column."""
    return {f.name: f for f in fields(cls)}[name]
