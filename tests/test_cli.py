"""The terminal: fast, and never a traceback."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cczsim.cli import build_parser, main


@pytest.mark.parametrize("words", [["--help"], ["assign", "--help"], ["--version"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    code = (
        "import sys\nfrom cczsim.cli import main\n"
        f"try:\n    main({words!r})\nexcept SystemExit: pass\n"
        "heavy = {'numba', 'numpy', 'pandas', 'geopandas', 'shapely', 'bokeh'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["fly"],
        ["assign"],
        ["assign", "x", "--threads", "0"],
        ["assign", "x", "--gap", "-1"],
        ["assign", "x", "--gap", "nan"],
        ["run"],
        ["run", "a.toml", "--lang", "fr"],
        ["network"],
    ],
)
def test_wrong_words_exit_with_2(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "--help" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["assign", "nowhere_net.tntp"],
        ["run", "nowhere.toml"],
        ["validate", "nowhere.toml"],
        ["diff", "nowhere.toml", "nowhere.toml"],
        ["compare", "nowhere", "nowhere"],
        ["density", "nowhere"],
        ["network", "build", "nowhere.osm.pbf"],
        ["network", "build", "nowhere.toml"],
        ["network", "info", "nowhere"],
        ["explain", "assignment.gapp"],
    ],
)
def test_a_missing_input_is_named(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 2
    said = capsys.readouterr().err
    assert "error: " in said
    assert "Traceback" not in said
    assert words[-1] in said


def test_every_command_has_a_help_line() -> None:
    text = build_parser().format_help()
    for name in ("run", "validate", "diff", "compare", "density", "network", "assign", "init",
                 "schema", "explain", "warmup"):  # fmt: skip
        assert f"\n    {name} " in text
