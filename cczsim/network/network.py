"""Everything a run moves people on, in one object."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Self

from cczsim.network.backdrop import Backdrop
from cczsim.network.road import RoadNetwork
from cczsim.network.transit import TransitNetwork
from cczsim.network.turns import Turns
from cczsim.network.zones import ZoneSystem


@dataclass(frozen=True)
class NetworkInfo:
    """What a network is and where it comes from, for every page that shows it.

    Parameters
    ----------
    name : str
        Short name.
    title : str
        One line for people.
    attribution : tuple of str
        Sources with licence, to be shown wherever the network is shown.
    date : str
        Date of the data, ISO 8601, or ``""``.
    notes : tuple of str
        Assumptions and caveats, to be shown in the report.
    build : mapping
        Counts and lengths that the build reports (plain JSON values).
    title_zh : str
        The title in Chinese, or ``""``.
    notes_zh : tuple of str
        The first notes in Chinese, in the order of ``notes``.
    """

    name: str
    title: str = ""
    attribution: tuple[str, ...] = ()
    date: str = ""
    notes: tuple[str, ...] = ()
    build: dict[str, Any] = field(default_factory=dict)
    title_zh: str = ""
    notes_zh: tuple[str, ...] = ()


@dataclass(frozen=True)
class Network:
    """A road network with its zones and, where there is one, its transit network.

    Turns are rules over the links of ``road``. Roads that are cut off are kept to be shown; nothing
    runs on them. A backdrop, where there is one, is drawn under the
    map; generated streets keep out of it.
    """

    info: NetworkInfo
    road: RoadNetwork
    zones: ZoneSystem | None = None
    transit: TransitNetwork | None = None
    backdrop: Backdrop | None = None
    turns: Turns | None = None
    cut_off: RoadNetwork | None = None

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some parts changed."""
        return replace(self, **changes)
