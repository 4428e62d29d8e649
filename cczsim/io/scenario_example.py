"""A scenario to start from: beside a network of the user's, or a whole example town."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
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


def region() -> Path | None:
    """Return the network of the home region, where cczsim was installed from a clone."""
    network = Path(cczsim.__file__).parent.parent / "networks" / "czt"
    return network if network.is_dir() else None


def example(folder: Path, network: Path) -> str:
    """Return the text of a scenario for a folder, on a network."""
    start = os.path.relpath(network, folder)
    text = '"' + Path(start).as_posix().replace("\\", "/").replace('"', '\\"') + '"'
    return EXAMPLE.format(file="example.toml", network=text)


def town() -> Iterator[tuple[str, bytes]]:
    """Return the files of the example town by their paths: its tables, a base and a plan."""

    def walk(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
        for item in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if item.is_dir():
                yield from walk(item, f"{path}{item.name}/")
            elif not item.name.endswith((".py", ".pyc")):
                yield path + item.name, item.read_bytes()

    yield from walk(files("cczsim").joinpath("example"), "")
