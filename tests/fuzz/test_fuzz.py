"""A few damaged inputs of each kind; ``fuzz.py`` beside this file tries as many as asked for."""

from __future__ import annotations

import importlib.util
import json
import random
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def fuzz() -> ModuleType:
    spec = importlib.util.spec_from_file_location("fuzz_for_tests", HERE / "fuzz.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # A dataclass looks its module up by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def known(fuzz: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found = fuzz.targets(tmp_path_factory.mktemp("fuzz"))
    assert set(found) == set(fuzz.COUNTS)
    return found


TEXTS = ("tntp trips", "csv trips, long", "csv trips, wide", "other tables")


def test_damage_is_refused_or_read(tmp_path: Path) -> None:
    # In a process of its own: compiled kernels with threads do not survive a fork of this one.
    report = tmp_path / "fuzz.json"
    words = [str(HERE / "fuzz.py"), "--count", "5", "--seed", "20", "--json", str(report)]
    done = subprocess.run(
        [sys.executable, *words], check=False, capture_output=True, text=True, timeout=500
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads(report.read_text(encoding="utf-8"))["targets"]
    assert all(row["cases"] == 5 and row["failed"] == 0 for row in rows.values())
    assert any(row["read"] for row in rows.values())
    assert any(row["refused"] for row in rows.values())


def test_the_figures_in_the_docs_are_of_every_reader(fuzz: ModuleType, repository: Path) -> None:
    stored = json.loads((repository / "docs/fuzz.json").read_text(encoding="utf-8"))
    rows = stored["targets"]
    assert set(rows) == set(fuzz.COUNTS)
    assert rows["scenario"]["cases"] >= 100
    assert sum(row["cases"] for name, row in rows.items() if name != "scenario") >= 1000
    assert not any(row["failed"] for row in rows.values())


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(TEXTS), st.randoms(use_true_random=False))
def test_no_damage_breaks_a_reader_of_text(
    fuzz: ModuleType, known: dict[str, Any], tmp_path_factory: pytest.TempPathFactory,
    name: str, source: random.Random,
) -> None:  # fmt: skip
    folder = tmp_path_factory.mktemp("case")
    fuzz.lay(known[name], folder, source)
    outcome = fuzz.attempt(known[name].read, folder)
    assert outcome.good, outcome.said


def test_the_harness_sees_what_it_looks_for(fuzz: ModuleType, tmp_path: Path) -> None:
    def hungry(_: Path) -> None:
        keep = []
        while True:
            keep.append(bytearray(b"x" * 2**26))

    def wrong(_: Path) -> None:
        raise ValueError("a defect")

    assert fuzz.attempt(wrong, tmp_path).kind == "traceback"
    assert fuzz.attempt(hungry, tmp_path).kind == "memory"
    assert fuzz.attempt(lambda _: 3, tmp_path).kind == "code 3"
    fuzz.WALL_SECONDS, before = 0.3, fuzz.WALL_SECONDS
    try:
        assert fuzz.attempt(lambda _: time.sleep(60), tmp_path).kind == "hang"
    finally:
        fuzz.WALL_SECONDS = before
    fuzz.SECONDS, before = 1, fuzz.SECONDS
    try:
        assert fuzz.attempt(lambda _: max(iter(int, 1)), tmp_path).kind == "hang"
    finally:
        fuzz.SECONDS = before
