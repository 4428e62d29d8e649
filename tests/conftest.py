"""Fixtures that many rooms share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent


def find_data() -> Path | None:
    """Return the folder of real inputs: CCZSIM_DATA, else ../shared/data, else None."""
    named = os.environ.get("CCZSIM_DATA")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "data"
    return folder if folder.is_dir() else None


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the project."""
    return REPOSITORY


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real inputs; the test is skipped, with the reason, where there is none."""
    folder = find_data()
    if folder is None:
        pytest.skip(
            "real inputs missing: set CCZSIM_DATA to the folder that holds osm/, tntp/, czt/"
        )
    return folder
