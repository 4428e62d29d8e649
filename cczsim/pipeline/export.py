"""``cczsim export``: hand results on to a database."""

from __future__ import annotations

from pathlib import Path

from cczsim.errors import InputError
from cczsim.io.database import SCHEMES, is_database, load_result
from cczsim.pipeline.progress import Progress


def export(folder: Path, target: str, *, key: str | None = None, progress: Progress) -> int:
    """Load a result into a PostGIS database, under a key; what had that key is replaced.

    Raises
    ------
    InputError
        The folder is no result, or the target no database.
    OutputError
        The database refuses; it is then as it was.
    """
    if not is_database(target):
        raise InputError.of(
            "TARGET", repr(target), f"an address that begins with {SCHEMES[0]}://",
            "such as postgresql://user@host:5432/database",
        )  # fmt: skip
    with progress.step("load"):
        counts = load_result(folder, target, key)
    for name, count in counts.items():
        progress.say(f"  {name}: {count} rows")
    return 0
