"""What AequilibraE makes of tags: ``python peer_osm_aequilibrae.py CASES.json OUT.json``.

Runs in an interpreter that has that package. Its project database needs an SQLite that loads
extensions, which many interpreters lack, so its own function from tags to link attributes, and its
own filter for Overpass, are called without one.
"""

from __future__ import annotations

import json
import re
import sys
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
from aequilibrae.parameters import Parameters
from aequilibrae.project.network.osm import osm_builder
from aequilibrae.project.network.osm.osm_downloader import OSMDownloader


def main() -> None:
    cases = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    wanted = re.findall(r'\["(\w+)"!~"([^"]*)"\]', OSMDownloader.get_osm_filter(None, ["car"]))

    @contextmanager
    def nothing():
        yield None

    columns = [*osm_builder.OSMBuilder.get_link_fields(), "link_type", "direction"]
    osm_builder.list_columns = lambda *_: columns
    builder = SimpleNamespace(project=SimpleNamespace(db_connection=nothing()))
    # All rows at once, as in an import: what it makes of missing tags depends on the others.
    frame = pd.DataFrame([{k.replace(":", "_"): v for k, v in tags.items()} for tags in cases])
    frame["link_type"], frame["nodes"] = frame.get("highway", ""), [[1, 2]] * len(frame)
    made = osm_builder.OSMBuilder._OSMBuilder__process_link_attributes(builder, frame)
    made = made.loc[:, ~made.columns.duplicated()]
    cars = set(Parameters().parameters["network"]["osm"]["modes"]["car"]["link_types"])
    out = []
    for tags, row in zip(cases, made.to_dict("records"), strict=True):
        shut = "highway" not in tags or any(
            key in tags and re.search(values, tags[key]) for key, values in wanted
        )
        out.append({
            "closed": bool(shut or tags["highway"].replace("_link", "") not in cars),
            "direction": {0: "both", 1: "forward", -1: "backward"}[row["direction"]],
            "class": tags.get("highway", ""),
            "lanes": [row.get("lanes_ab"), row.get("lanes_ba")],
            "kmh": [row.get("speed_ab"), row.get("speed_ba")],
        })  # fmt: skip
    made = json.dumps({"version": version("aequilibrae"), "rows": out}, default=str)
    Path(sys.argv[2]).write_text(made, encoding="utf-8")


main()
