"""One number with its name, unit and what it is about."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Indicator:
    """A figure of a result.

    Parameters
    ----------
    key : str
        Snake-case name, such as ``road_density`` or ``vehicle_km``.
    value : float
        NaN where it is not defined.
    unit : str
        Unit as shown to people: ``km/km2``, ``veh km/h``, ``km/h``, ``%``.
    by : dict of str to str
        What the figure is restricted to: ``{"tier": "central", "convention": "cn-urban"}``.
    note : str
        An assumption that a reader must know.
    """

    key: str
    value: float
    unit: str
    by: dict[str, str] = field(default_factory=dict)
    note: str = ""

    @property
    def path(self) -> str:
        """Key and restriction in one word: ``road_density[convention=cn-urban,tier=central]``."""
        if not self.by:
            return self.key
        return f"{self.key}[{','.join(f'{k}={v}' for k, v in sorted(self.by.items()))}]"


def find(indicators: tuple[Indicator, ...], key: str, **by: str) -> Indicator | None:
    """Return the first indicator of that key whose ``by`` holds all the given items, or None."""
    for item in indicators:
        if item.key == key and all(item.by.get(k) == v for k, v in by.items()):
            return item
    return None
