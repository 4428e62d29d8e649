"""A lock on a result folder, so that two runs never write one; it dies with its process."""

from __future__ import annotations

import fcntl
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cczsim.errors import OutputError


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder, which need not be there yet, while the block runs.

    The system lets go of the lock when its process ends, however it ends: what a killed run leaves
    behind stops nobody.

    Raises
    ------
    OutputError
        Another run holds it, named by its process; or nothing can be written there.
    """
    path = folder.parent / f".{folder.name}.lock"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        handle = _open_locked(path)
    except BlockingIOError:
        raise OutputError.of(
            str(folder), f"a run that is writing here ({_holder(path)})", "a folder of one run",
            "wait for it, or choose another place with --out",
        ) from None  # fmt: skip
    except OSError as error:
        raise OutputError.of(
            str(folder), error.strerror or str(error), "a folder that can be written",
            "choose another place with --out",
        ) from None  # fmt: skip
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def _open_locked(path: Path) -> int:
    """Return the locked file; raises BlockingIOError where another process holds it."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever held it before may have removed the file between the two calls.
            if path.exists() and os.fstat(handle).st_ino == path.stat().st_ino:
                os.ftruncate(handle, 0)
                os.write(handle, f"process {os.getpid()} on {platform.node()}".encode())
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _holder(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:100] or "process unknown"
    except OSError:
        return "process unknown"
