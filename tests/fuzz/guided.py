"""Fuzz a reader guided by coverage, with atheris, which is no dependency of the tests.

    python -m venv /tmp/atheris && /tmp/atheris/bin/pip install atheris -e .
    /tmp/atheris/bin/python tests/fuzz/guided.py "saved bushes" --seconds 300

One file of the target is what atheris makes of it; the others stay as they are. A traceback other
than a refusal ends the run and leaves the input in the working folder, as ``crash-…``. What a case
takes is told by ``fuzz.py``, not here: all cases share one process.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import sys
import tempfile
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).resolve().parent))

with atheris.instrument_imports(include=["cczsim"]):
    from targets import Target, targets

    from cczsim.errors import CczsimError


def lay(target: Target, folder: Path) -> None:
    for name, data in target.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def guided(target: Target, folder: Path, corpus: Path, seconds: int) -> None:
    """Run until the time is over, or an input is found that ends in a traceback."""
    hit = max(set(target.damaged), key=target.damaged.count)
    (corpus / "whole").write_bytes(target.files[hit])

    def one(data: bytes) -> None:
        (folder / hit).parent.mkdir(parents=True, exist_ok=True)
        (folder / hit).write_bytes(data)
        with (
            contextlib.suppress(CczsimError), contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):  # fmt: skip
            target.read(folder)

    longest = 4 * len(target.files[hit])
    words = (f"-max_total_time={seconds}", f"-max_len={longest}", "-timeout=20", "-len_control=0",
             "-rss_limit_mb=2048", "-print_final_stats=1")  # fmt: skip
    atheris.Setup([sys.argv[0], *words, str(corpus)], one)
    atheris.Fuzz()


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("name")
    words.add_argument("--seconds", type=int, default=60)
    args = words.parse_args()
    with (
        tempfile.TemporaryDirectory() as work, tempfile.TemporaryDirectory() as place,
        tempfile.TemporaryDirectory() as corpus,
    ):  # fmt: skip
        folder = Path(place)
        # Readers are imported as they are first called: here, so that all is instrumented.
        with atheris.instrument_imports(include=["cczsim"]):
            target = targets(Path(work))[args.name]
            lay(target, folder)
            target.read(folder)
        guided(target, folder, Path(corpus), args.seconds)


if __name__ == "__main__":
    main()
