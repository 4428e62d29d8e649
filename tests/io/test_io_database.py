"""Results in a real PostGIS: loaded whole or not at all, replaced by key, names unharmed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cczsim.cli import main
from cczsim.errors import InputError, OutputError
from cczsim.io import database
from cczsim.io.database import load_result
from cczsim.io.results import write_result
from tests.io import database_server
from tests.report.synthetic_run import make_run

psycopg = pytest.importorskip("psycopg", reason="no driver: pip install 'cczsim[database]'")

DROP = "'); DROP TABLE links; --"
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    found = database_server.binaries()
    if found is None:
        pytest.skip("no PostgreSQL server with PostGIS: apt-get install postgresql postgis")
    with database_server.server(found) as address:
        yield address


@pytest.fixture(scope="module")
def result() -> Any:
    made = make_run()
    road = made.network.road
    names = np.array(road.name, dtype=object)
    names[0], names[1], names[2] = DROP, SCRIPT, "芙蓉大道\t\\N\n\"'"
    changed = made.network.replace(road=road.replace(name=names))
    return replace(made, network=changed, name="plan", title=f"方案 {DROP} {SCRIPT}")


def folder_of(result: Any, path: Path) -> Path:
    record = {"cczsim": "0.1.0", "status": "done", "relative_gap": 1e-5, "noise": 1e-5}
    write_result(result, None, None, path, None, record)
    return path


@pytest.fixture(scope="module")
def folder(result: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return folder_of(result, tmp_path_factory.mktemp("db") / "plan")


@pytest.fixture
def empty(address: str) -> str:
    with psycopg.connect(address) as link:
        link.execute("DROP SCHEMA IF EXISTS cczsim CASCADE")
    return address


def rows(address: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(address) as link:
        return list(link.execute(query, values).fetchall())


def test_two_runs_are_loaded_one_is_replaced_and_a_map_is_asked_for(
    empty: str, folder: Path, result: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(folder), empty]) == 0
    assert main(["export", str(folder), empty, "--as", "second"]) == 0
    n = result.network.road.n_links
    assert f"links: {n} rows" in capsys.readouterr().err
    counts = "SELECT key, (SELECT count(*) FROM cczsim.links l WHERE l.run_id = r.run_id) FROM "
    assert rows(empty, counts + "cczsim.runs r ORDER BY key") == [("plan", n), ("second", n)]
    road = result.equilibrium.road
    faster = replace(result, equilibrium=replace(
        result.equilibrium, road=replace(road, link_flow=road.link_flow * 2.0)
    ))  # fmt: skip
    load_result(folder_of(faster, tmp_path / "plan"), empty)
    assert rows(empty, counts + "cczsim.runs r ORDER BY key") == [("plan", n), ("second", n)]
    total = (
        "SELECT r.key, sum(l.flow_pce_h * l.length_m) FROM cczsim.links l "
        "JOIN cczsim.runs r USING (run_id) WHERE l.geom && ST_MakeEnvelope(%s, %s, %s, %s, 4326) "
        "GROUP BY r.key ORDER BY r.key"
    )
    first, second = rows(empty, total, 100.0, 20.0, 125.0, 35.0)
    assert first[1] == pytest.approx(2.0 * second[1], rel=1e-12)
    assert second[1] == pytest.approx((road.link_flow * result.network.road.length).sum())


def test_names_go_through_unharmed(empty: str, folder: Path) -> None:
    load_result(folder, empty, key=DROP)
    names = rows(empty, "SELECT name FROM cczsim.links WHERE row < 3 ORDER BY row")
    assert [n for (n,) in names] == [DROP, SCRIPT, "芙蓉大道\t\\N\n\"'"]
    assert rows(empty, "SELECT key, title FROM cczsim.runs") == [(DROP, f"方案 {DROP} {SCRIPT}")]


def test_figures_and_shapes_are_those_of_the_folder(empty: str, folder: Path, result: Any) -> None:
    load_result(folder, empty)
    found = rows(empty, 'SELECT key, "by", value FROM cczsim.indicators')
    stored = json.loads((folder / "indicators.json").read_text(encoding="utf-8"))["indicators"]
    assert {(k, json.dumps(b, sort_keys=True), v) for k, b, v in found} == {
        (i["key"], json.dumps(i["by"], sort_keys=True), i["value"]) for i in stored
    }
    sums = rows(empty, "SELECT sum(trips_per_hour) FROM cczsim.ledger WHERE stage = 'mode choice'")
    assert sums[0][0] == pytest.approx(result.trips.sum())
    kinds = rows(empty, "SELECT DISTINCT ST_GeometryType(geom), ST_SRID(geom) FROM cczsim.links")
    assert kinds == [("ST_LineString", 4326)]
    (length,) = rows(empty, "SELECT sum(ST_Length(geom::geography)) FROM cczsim.links")[0]
    assert length == pytest.approx(result.network.road.length.sum(), rel=0.05)


def test_a_killed_load_leaves_the_former_state(empty: str, folder: Path) -> None:
    load_result(folder, empty)
    before = rows(empty, "SELECT run_id, loaded_at FROM cczsim.runs")
    code = (
        "import os, signal, sys\nfrom pathlib import Path\n"
        "from cczsim.io import database\n"
        "copied = database._copy\n"
        "def copy(link, table, columns, rows):\n"
        "    if table == 'zones':\n"
        "        print('midway', flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return copied(link, table, columns, rows)\n"
        "database._copy = copy\n"
        "database.load_result(Path(sys.argv[1]), sys.argv[2])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), empty],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert done.stdout == "midway\n"
    deadline = time.monotonic() + 30.0
    while rows(empty, "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%%'")[0][0]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert rows(empty, "SELECT run_id, loaded_at FROM cczsim.runs") == before
    assert rows(empty, "SELECT count(*) > 0 FROM cczsim.links") == [(True,)]


def test_a_load_that_fails_leaves_the_former_state(
    empty: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_result(folder, empty)
    before = rows(empty, "SELECT run_id, loaded_at FROM cczsim.runs")
    monkeypatch.setattr(database, "_ledger_rows", lambda *_: (("run_id", "none"), [(1, 2)]))
    with pytest.raises(OutputError, match=r"none.*nothing of this load was kept"):
        load_result(folder, empty)
    assert rows(empty, "SELECT run_id, loaded_at FROM cczsim.runs") == before


def test_an_older_schema_migrates_and_a_newer_one_is_left_alone(
    empty: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(database, "_MIGRATIONS", database._MIGRATIONS[:1])
        patch.setattr(database, "LAYERS", ())
        load_result(folder, empty)
    assert rows(empty, "SELECT max(version) FROM cczsim.schema_version") == [(1,)]
    load_result(folder, empty, key="later")
    newest = len(database._MIGRATIONS)
    assert rows(empty, "SELECT max(version) FROM cczsim.schema_version") == [(newest,)]
    assert rows(empty, "SELECT key FROM cczsim.runs ORDER BY key") == [("later",), ("plan",)]
    with psycopg.connect(empty) as link:
        link.execute("INSERT INTO cczsim.schema_version VALUES (99)")
    with pytest.raises(OutputError, match="newer cczsim"):
        load_result(folder, empty)


def test_what_cannot_be_reached_is_told_without_the_password(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["export", str(folder), "postgresql://me:secret@127.0.0.1:1/none"]
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "postgresql://127.0.0.1:1/none" in said
    assert "secret" not in said
    assert main(["export", str(folder), "mysql://x"]) == 2
    assert "postgresql://" in capsys.readouterr().err
    with pytest.raises(InputError):
        load_result(tmp_path, "postgresql://127.0.0.1:1/none")
    assert os.environ.get("PGPASSWORD") is None
