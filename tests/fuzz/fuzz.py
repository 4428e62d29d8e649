"""Fuzz every reader: damaged inputs may be refused, never a traceback, a hang or a flood of memory.

    python tests/fuzz/fuzz.py --json docs/fuzz.json        # 1,100 cases and 100 scenario files
    python tests/fuzz/fuzz.py "osm pbf" --count 5000 --seed 7

Each case is read in a process of its own, forked from one that has the libraries loaded.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from mutate import mutate
from targets import Target, targets

COUNTS = {
    "tntp network": 100, "tntp trips": 70, "csv trips, long": 50, "csv trips, wide": 50,
    "omx trips": 100, "gmns": 100, "osm xml": 120, "osm pbf": 120, "gtfs zip": 70,
    "gtfs tables": 120, "recipe": 120, "other tables": 60, "built network": 40, "scenario": 100,
    "user classes": 80, "link counts": 40, "places": 30, "ranges": 60, "overpass": 60,
    "saved bushes": 100, "checkpoint": 80, "stored result": 40, "stored sample": 20,
}  # fmt: skip
SECONDS = 10  # of processor time: a busy machine must not make a hang of a short wait
WALL_SECONDS = 60.0  # for those who wait for something that never comes
MEMORY_MB = 1024.0


@dataclass
class Outcome:
    """What became of a case: ``read``, ``refused``, or what must not be."""

    kind: str
    seconds: float
    memory_mb: float
    said: str = ""

    @property
    def good(self) -> bool:
        return self.kind in ("read", "refused")


def attempt(read: Callable[[Path], int | None], folder: Path) -> Outcome:
    """Read a folder in a process of its own."""
    inlet, outlet = os.pipe()
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads
        child = os.fork()
    if child == 0:
        os.close(inlet)
        spent = round(sum(os.times()[:2]))
        resource.setrlimit(resource.RLIMIT_CPU, (spent + SECONDS, spent + SECONDS + 1))
        _read_and_tell(read, folder, outlet)
    os.close(outlet)
    said, killed, peak = b"", "", 0.0
    with os.fdopen(inlet, "rb", buffering=0) as pipe:
        while True:
            ready, _, _ = select.select([pipe], [], [], 0.02)
            if ready:
                part = pipe.read(65536)
                if not part:
                    break
                said += part
            peak = max(peak, _memory_mb(child))
            if time.perf_counter() - began > WALL_SECONDS:
                killed = "hang"
            elif peak > 2 * MEMORY_MB:
                killed = "memory"
            if killed:
                os.kill(child, signal.SIGKILL)
                break
    _, status, usage = os.wait4(child, 0)
    seconds = usage.ru_utime + usage.ru_stime
    peak = max(peak, usage.ru_maxrss / 1024.0)
    text = said.decode("utf-8", "replace")
    if killed:
        return Outcome(killed, seconds, peak, text)
    if peak > MEMORY_MB:
        return Outcome("memory", seconds, peak, text)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL):
        return Outcome("hang", seconds, peak, text)
    if os.WIFSIGNALED(status):
        return Outcome(f"signal {os.WTERMSIG(status)}", seconds, peak, text)
    kind, _, text = text.partition("\n")
    return Outcome(kind or "nothing said", seconds, peak, text)


def _memory_mb(process: int) -> float:
    try:
        pages = Path(f"/proc/{process}/statm").read_text().split()[1]
    except (OSError, IndexError):
        return 0.0
    return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _read_and_tell(read: Callable[[Path], int | None], folder: Path, outlet: int) -> None:
    from cczsim.errors import CczsimError

    kind, text = "read", ""
    try:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1):
            os.dup2(nowhere, stream)
        told = os.memfd_create("told")
        os.dup2(told, 2)
        code = read(folder)
        sys.stderr.flush()
        text = os.pread(told, 4000, 0).decode("utf-8", "replace")
        kind = "read" if code in (None, 0) else "refused" if code in (1, 2) else f"code {code}"
    except CczsimError as error:
        kind, text = "refused", str(error)
        if not all(f.where and f.found and f.expected for f in error.faults):
            kind = "empty message"
    except BaseException:
        kind, text = "traceback", traceback.format_exc()
    finally:
        os.write(outlet, f"{kind}\n{text[-4000:]}".encode("utf-8", "replace"))
        os._exit(0)


def whole(target: Target) -> Outcome:
    """Read a target undamaged; what refuses everything would pass every other test."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        lay(target, Path(name), None)
        return attempt(target.read, Path(name))


def lay(target: Target, folder: Path, source: random.Random | None) -> str:
    """Write a target's files, one of them damaged by a source if there is one; return which."""
    hit = source.choice(target.damaged) if source is not None else ""
    for name, data in target.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if source is None or name != hit else mutate(data, source))
    return hit


def fuzz(target: Target, count: int, seed: int, keep: Path | None = None) -> list[Outcome]:
    """Try damaged inputs of a target; what fails is kept in a folder, if one is named."""
    found = []
    for number in range(count):
        source = random.Random(f"{target.name}/{seed}/{number}")
        with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
            folder = Path(name)
            hit = lay(target, folder, source)
            outcome = attempt(target.read, folder)
            if not outcome.good:
                outcome.said = f"{target.name} #{number}, seed {seed}, {hit}: {outcome.said}"
                if keep is not None:
                    shutil.copytree(
                        folder, keep / f"{target.name}-{seed}-{number}", dirs_exist_ok=True
                    )
            found.append(outcome)
    return found


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("names", nargs="*")
    words.add_argument("--count", type=int)
    words.add_argument("--seed", type=int, default=1)
    words.add_argument("--keep", type=Path)
    words.add_argument("--json", type=Path)
    args = words.parse_args()
    rows, bad = {}, []
    # Compilation is no part of reading; it is done by a process that is not forked.
    warm = "from cczsim.cli import main; main(['warmup'])"
    subprocess.run([sys.executable, "-c", warm], check=True, capture_output=True)
    with tempfile.TemporaryDirectory() as work:
        known = targets(Path(work))
        for name in args.names or COUNTS:
            first = whole(known[name])
            if first.kind != "read":
                first.kind = f"undamaged, {first.kind}"
                bad.append(asdict(first))
            found = fuzz(known[name], args.count or COUNTS[name], args.seed, args.keep)
            bad += [asdict(o) for o in found if not o.good]
            rows[name] = {
                "cases": len(found),
                "read": sum(o.kind == "read" for o in found),
                "refused": sum(o.kind == "refused" for o in found),
                "failed": sum(not o.good for o in found),
                "longest_cpu_s": round(max(o.seconds for o in found), 2),
                "most_memory_mb": round(max(o.memory_mb for o in found)),
            }
            sys.stdout.write(f"{name}: {rows[name]}\n")
            sys.stdout.flush()
    for case in bad:
        sys.stdout.write(
            f"\n{case['kind']} after {case['seconds']:.1f} s: {case['said'][-1500:]}\n"
        )
    if args.json is not None:
        args.json.write_text(json.dumps({"seed": args.seed, "targets": rows}, indent=1) + "\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
