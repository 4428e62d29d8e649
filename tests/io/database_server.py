"""A PostgreSQL server of its own for the tests, on loopback, gone when they end."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def binaries() -> Path | None:
    """Return the folder of the newest server that has PostGIS; None without one."""
    found = [
        path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")
        if list(path.parent.parent.glob("lib/postgis-3.so"))
    ]  # fmt: skip
    return max(found, key=lambda path: int(path.parent.name), default=None)


def _as_postgres(words: list[str]) -> list[str]:
    """Return a command as the server's own user: it refuses to run as root."""
    return ["runuser", "-u", "postgres", "--", *words] if os.geteuid() == 0 else words


@contextmanager
def server(bin_folder: Path) -> Iterator[str]:
    """Give the address of an empty database."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    work = Path(tempfile.mkdtemp(prefix="cczsim-postgres-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(work, "postgres", "postgres")
        data = work / "data"

        def call(name: str, *words: str) -> None:
            done = subprocess.run(
                _as_postgres([str(bin_folder / name), *words]), check=False, cwd=work,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, timeout=120,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout

        call("initdb", "-D", str(data), "-A", "trust", "-U", "cczsim", "-E", "UTF8", "-N")
        options = f"-c listen_addresses=127.0.0.1 -p {port} -k {work} -c fsync=off"
        log = str(work / "log")
        call("pg_ctl", "-D", str(data), "-w", "-t", "60", "-l", log, "-o", options, "start")
        try:
            yield f"postgresql://cczsim@127.0.0.1:{port}/postgres"
        finally:
            call("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(work, ignore_errors=True)
