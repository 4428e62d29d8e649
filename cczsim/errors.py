"""Exceptions that cczsim raises on purpose; each carries the place at fault."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with an input, said so that a user can mend it.

    Parameters
    ----------
    where : str
        File, and line, row, key or id within it (``"base.toml:12: assignment.gap"``).
    found : str
        What stands there.
    expected : str
        What should stand there.
    hint : str, optional
        What to do about it.
    """

    where: str
    found: str
    expected: str
    hint: str = ""

    def __str__(self) -> str:
        """Return the fault as one line."""
        text = f"{self.where}: found {self.found}; expected {self.expected}"
        return f"{text}; {self.hint}" if self.hint else text


class CczsimError(Exception):
    """Base of every error that an input or a call can cause; carries all faults at once.

    Parameters
    ----------
    faults : sequence of Fault
        At least one.
    """

    exit_code = 2

    def __init__(self, faults: Fault | Sequence[Fault]) -> None:
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))

    @classmethod
    def of(cls, where: str, found: str, expected: str, hint: str = "") -> Self:
        """Return an error with a single fault."""
        return cls(Fault(where, found, expected, hint))


class UnitError(CczsimError):
    """A quantity that cannot be read, or is of another dimension than asked for."""


class ColumnError(CczsimError):
    """A column of a domain object has a wrong shape, sign or value."""


class NetworkError(CczsimError):
    """A network that cannot be built or used."""


class OsmError(CczsimError):
    """An OpenStreetMap input that cannot be turned into a network."""


class DemandError(CczsimError):
    """A demand that cannot be computed or does not fit its zones."""


class AssignmentError(CczsimError):
    """An assignment that cannot be started."""


class IndicatorError(CczsimError):
    """An indicator that cannot be computed."""


class ScenarioError(CczsimError):
    """A scenario file or a change that cannot be applied."""


class InputError(CczsimError):
    """A file that cannot be read: missing, truncated, of another format, or wrong inside."""


class OutputError(CczsimError):
    """A result that cannot be written."""


class FaultCollector:
    """Gather faults while reading on, then raise them all at once.

    Parameters
    ----------
    error : type of CczsimError
        What :meth:`raise_if_any` raises.
    """

    def __init__(self, error: type[CczsimError]) -> None:
        self._error = error
        self.faults: list[Fault] = []

    def add(self, where: str, found: str, expected: str, hint: str = "") -> None:
        """Note one fault and go on."""
        self.faults.append(Fault(where, found, expected, hint))

    def extend(self, faults: Iterable[Fault]) -> None:
        """Note several faults and go on."""
        self.faults.extend(faults)

    def raise_if_any(self) -> None:
        """Raise the collected faults, if there are any."""
        if self.faults:
            raise self._error(self.faults)
