"""How a recipe reads route relations: ``[transit.osm_routes]``, with a table of headways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cczsim.errors import FaultCollector, InputError
from cczsim.io.tables import read_rows
from cczsim.io.zone_tables import Record, numbers
from cczsim.osm.route_lines import RouteSettings


def read_route_settings(given: Mapping[str, Any]) -> RouteSettings:
    """Return the settings of one ``[transit.osm_routes]``.

    Parameters
    ----------
    given : mapping
        ``modes``; ``period``; ``headways``, a CSV with columns ``line`` (the ref of a route, or the
        id of its relation) and ``headway_min``; ``default_headway_min``, minutes by mode.

    Raises
    ------
    InputError
        A column is missing, a headway is none, or a line stands twice; names file and line.
    """
    headways: dict[str, float] = {}
    if "headways" in given:
        path = given["headways"]
        rows = read_rows(path, ("line", "headway_min"))
        faults = FaultCollector(InputError)
        records = [Record(f"{path}:{k}", row) for k, row in enumerate(rows, 2)]
        minutes = numbers(records, "headway_min", faults, 0.5, 1440.0)
        for record, value in zip(records, minutes.tolist(), strict=True):
            line = record.values["line"].strip()
            if not line or line in headways:
                found = f"{line} a second time" if line else "nothing"
                faults.add(f"{record.where}: line", found, "a ref or relation id, once")
            headways[line] = 60.0 * value
        faults.raise_if_any()
    defaults = {mode: 60.0 * value for mode, value in given.get("default_headway_min", {}).items()}
    settings: dict[str, Any] = {k: given[k] for k in ("period",) if k in given}
    if "modes" in given:
        settings["modes"] = tuple(given["modes"])
    return RouteSettings(headways=headways, default_headways=defaults, **settings)
