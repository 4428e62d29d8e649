"""Transport network simulation: roads and rail from OpenStreetMap, exact assignment, scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "CczsimError",
    "Network",
    "assign",
    "build",
    "compare",
    "density",
    "frame",
    "load",
    "rank",
    "read_result",
    "read_scenario",
    "read_trips",
    "run",
    "save",
    "tables",
    "transit_assign",
]

if TYPE_CHECKING:
    from cczsim.api import (
        assign,
        build,
        compare,
        density,
        frame,
        load,
        rank,
        read_scenario,
        read_trips,
        run,
        save,
        tables,
        transit_assign,
    )
    from cczsim.errors import CczsimError
    from cczsim.io.results import read_result
    from cczsim.network.network import Network

_ELSEWHERE = {
    "CczsimError": "cczsim.errors",
    "Network": "cczsim.network.network",
    "read_result": "cczsim.io.results",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for (PEP 562): the import itself stays cheap."""
    if name not in __all__:
        raise AttributeError(f"module 'cczsim' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_ELSEWHERE.get(name, "cczsim.api")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
