"""Kill runs at random moments, resume them, and hold the results against an undisturbed run.

python tests/pipeline/kill_and_resume.py scenarios/czt/plan-2025.toml --times 30
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path


def command(scenario: Path, out: Path, *words: str) -> list[str]:
    code = "import sys; from cczsim.cli import main; sys.exit(main())"
    return [sys.executable, "-c", code, "run", str(scenario), "--out", str(out), *words]


def digests(out: Path) -> dict[str, str]:
    """Return the digest of every file of all results, without the times and the log."""
    found = {}
    for path in sorted(out.rglob("*")):
        inside = path.relative_to(out).parts
        if not path.is_file() or len(inside) == 1 or inside[0].startswith("."):
            continue
        data = path.read_bytes()
        if path.name == "run.json":
            record = json.loads(data)
            del record["this_run"]
            data = json.dumps(record, sort_keys=True).encode()
        found[path.relative_to(out).as_posix()] = hashlib.sha256(data).hexdigest()
    return found


def kill_and_resume(
    scenario: Path, work: Path, times: int, seed: int
) -> Iterator[dict[str, object]]:
    """Yield a row a kill: when, what was left, and whether the resumed run has the same bits."""
    whole = work / "whole"
    began = time.perf_counter()
    code = subprocess.run(command(scenario, whole, "--quiet"), check=False).returncode
    length = time.perf_counter() - began
    wanted = digests(whole)
    assert wanted
    moments, done = random.Random(seed), 0
    while done < times:
        out = work / f"out-{done}"
        moment = moments.uniform(0.0, length)
        began = time.perf_counter()
        run = subprocess.Popen(command(scenario, out, "--quiet"))
        try:
            run.wait(moment)
        except subprocess.TimeoutExpired:
            run.send_signal(signal.SIGKILL)
        if run.wait() != -signal.SIGKILL:
            # It was faster than the first: not a kill, and the next moment is drawn earlier.
            length = min(length, time.perf_counter() - began)
            shutil.rmtree(out)
            continue
        left = sorted(p.name for p in out.iterdir() if p.is_dir()) if out.exists() else []
        left = [name for name in left if not name.startswith(".")]
        kept = len(list(out.glob(".checkpoints/*.npz")))
        resumed = subprocess.run(
            command(scenario, out, "--resume"), check=False, capture_output=True, text=True
        )
        same = digests(out) == wanted and resumed.returncode == code
        clean = not [p for p in out.iterdir() if p.name.startswith(".")]
        done += 1
        yield {
            "moment_s": round(moment, 2), "finished": left, "checkpoints": kept,
            "kept": resumed.stderr.count(": kept,"),
            "solved": resumed.stderr.count(": resumed, solved"),
            "solving": resumed.stderr.count(": resumed in"),
            "same_bits": same, "clean": clean,
        }  # fmt: skip
        shutil.rmtree(out)


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("scenario", type=Path)
    words.add_argument("--times", type=int, default=30)
    words.add_argument("--seed", type=int, default=1)
    args = words.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as work:
        for row in kill_and_resume(args.scenario.resolve(), Path(work), args.times, args.seed):
            rows.append(row)
            sys.stdout.write(json.dumps(row) + "\n")
            sys.stdout.flush()
    good = sum(bool(row["same_bits"] and row["clean"]) for row in rows)
    early = sum(not row["checkpoints"] and not row["finished"] for row in rows)
    sys.stdout.write(f"{early} of {len(rows)} fell before the first checkpoint\n")
    sys.stdout.write(f"{good} of {len(rows)} resumed to the same bits\n")
    return 0 if good == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
