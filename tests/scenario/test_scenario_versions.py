"""Older versions of scenario files are read and told; newer ones refused. Versions are made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from cczsim.cli import main
from cczsim.errors import CczsimError
from cczsim.io.scenario_file import read_scenario
from cczsim.scenario import versions
from cczsim.scenario.versions import FORMAT, renamed, rewritten

OLD = """cczsim = {version}
title = "Old"
network = "net"
year = 2020
[assignment]
gap = 0.1
[[changes]]
kind = "links"
select = {{ class = "primary" }}
set = {{ speed_limit = "60 km/h" }}
[[changes]]
kind = "links"
select = {{ class = "secondary" }}
set = {{ lanes = 2 }}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "net").mkdir()
    (tmp_path / "old.toml").write_text(OLD.format(version=FORMAT), encoding="utf-8")
    return tmp_path


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two versions after the present one, as if the format had changed twice."""
    monkeypatch.setattr(versions, "FORMAT", FORMAT + 2)
    monkeypatch.setattr(versions, "STEPS", {
        FORMAT: (renamed("assignment.gap", "relative_gap"),
                 renamed("changes[].set.speed_limit", "speed")),
        FORMAT + 1: (rewritten("assignment.relative_gap", lambda v: v / 100, "is no per cent"),),
    })  # fmt: skip


@pytest.mark.usefixtures("later")
def test_an_older_file_is_read_and_each_change_told(folder: Path) -> None:
    spec = read_scenario(folder / "old.toml")
    assert spec.cczsim == FORMAT + 2
    assert spec.assignment.relative_gap == pytest.approx(1e-3)
    assert spec.changes[0].set_.speed == pytest.approx(60 / 3.6)
    file = folder / "old.toml"
    assert spec.notes == (
        f"{file}: format {FORMAT}, read as format {FORMAT + 2}",
        f"{file}:6: assignment.gap is called 'relative_gap' now",
        f"{file}:10: changes[].set.speed_limit is called 'speed' now",
        f"{file}:6: assignment.relative_gap is no per cent",
    )


@pytest.mark.usefixtures("later")
def test_files_of_several_versions_go_together(folder: Path) -> None:
    text = f'cczsim = {FORMAT + 2}\ntitle = "New"\nextends = "old.toml"\nyear = 2025\n'
    (folder / "new.toml").write_text(text, encoding="utf-8")
    spec = read_scenario(folder / "new.toml")
    assert spec.assignment.relative_gap == pytest.approx(1e-3)
    assert len(spec.notes) == 4
    (folder / "mid.toml").write_text(
        text.replace(f"cczsim = {FORMAT + 2}", f"cczsim = {FORMAT + 1}")
        + "[assignment]\nrelative_gap = 5\n", encoding="utf-8",
    )  # fmt: skip
    assert read_scenario(folder / "mid.toml").assignment.relative_gap == pytest.approx(0.05)


@pytest.mark.usefixtures("later")
def test_both_names_of_a_key_are_a_fault(folder: Path) -> None:
    text = OLD.format(version=FORMAT).replace("gap = 0.1", "gap = 0.1\nrelative_gap = 0.2")
    (folder / "old.toml").write_text(text, encoding="utf-8")
    with pytest.raises(CczsimError, match=r"old\.toml:6: assignment.gap.*both"):
        read_scenario(folder / "old.toml")


@pytest.mark.usefixtures("later")
@pytest.mark.parametrize("section", ["assignment = 5", "changes = 3", "[[changes]]\nset = 4"])
def test_what_is_no_table_is_left_for_the_reader_to_complain(folder: Path, section: str) -> None:
    (folder / "old.toml").write_text(
        f'cczsim = {FORMAT}\ntitle = "T"\nnetwork = "net"\nyear = 2020\n{section}\n',
        encoding="utf-8",
    )
    with pytest.raises(CczsimError, match=r"old\.toml:"):
        read_scenario(folder / "old.toml")


@pytest.mark.parametrize("version", [FORMAT + 1, FORMAT - 1, 10**30, -3])
def test_versions_that_are_not_known_are_refused(
    folder: Path, version: int, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "base.toml").write_text(OLD.format(version=version), encoding="utf-8")
    text = f'cczsim = {FORMAT}\ntitle = "New"\nextends = "base.toml"\nyear = 2025\n'
    (folder / "new.toml").write_text(text, encoding="utf-8")
    for name in ("base.toml", "new.toml"):
        assert main(["validate", str(folder / name)]) == 2
        said = capsys.readouterr().err
        assert f"base.toml:1: cczsim: found {version}; expected {FORMAT}, which" in said
        assert "Traceback" not in said
