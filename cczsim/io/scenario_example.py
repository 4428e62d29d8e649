"""A small commented scenario to start from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import cczsim

EXAMPLE: Final = """\
# A scenario says what is run. `cczsim explain KEY` says what a key means, and its default.
# Check it without solving:  cczsim validate {file}

cczsim = 1                           # version of the format of this file
title = "An example: arterials of the central zone at 60 km/h"
network = {network}   # a recipe, a built network, or a file; paths start at this file
year = 2020

[assignment]
relative_gap = 1e-4                  # smaller is slower, and tells smaller schemes apart

# Changes are made in order. Each says which links it means, and what it expects to find there.
[[changes]]
kind = "links"
select = {{ class = ["primary"], tier = ["central"] }}
expect = {{ links = ">= 1" }}
set = {{ speed = "60 km/h" }}
note = "arterials of the central zone at 60 km/h"

# [[changes]]
# kind = "growth"
# population = {{ central = "12 %", circle = "3 %" }}

# [[changes]]
# kind = "road_density"
# area = "central"
# target = "7 km/km2"

[targets]
road_density_central = ">= 7 km/km2"
"""


def example(folder: Path) -> str:
    """Return the text of the example for a folder; it names the embedded network.

    The network is found beside the package, where cczsim was installed from a clone, else by a
    path that the user has to fill in.
    """
    network = Path(cczsim.__file__).parent.parent / "networks" / "czt"
    start = os.path.relpath(network, folder) if network.is_dir() else "path/to/a/network"
    text = '"' + Path(start).as_posix().replace("\\", "/").replace('"', '\\"') + '"'
    return EXAMPLE.format(file="example.toml", network=text)
