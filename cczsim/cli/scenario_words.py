"""Commands on scenario files: run, check, compare, explain."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from cczsim.cli.words import Commands, positive

if TYPE_CHECKING:
    from cczsim.pipeline.progress import Progress


def add(commands: Commands) -> None:
    """Declare them."""
    run = commands.add("run", "run scenarios, each with the base it is compared to", _run)
    run.add_argument("scenarios", nargs="+", type=Path, metavar="SCENARIO.toml")
    run.add_argument("--out", type=Path, default=Path("results"), help="folder for results")
    run.add_argument("--threads", type=positive, help="threads (default: all; never changes a bit)")
    run.add_argument("--resume", action="store_true", help="keep what an earlier run finished")
    run.add_argument("--lang", choices=["en", "zh"], help="language the report opens in")
    run.add_argument("--strict", action="store_true", help="exit 1 when a target is missed")
    run.add_argument("--quiet", action="store_true", help="say only what is wrong")

    validate = commands.add(
        "validate", "check a scenario and all it names, without solving", _validate
    )
    validate.add_argument("scenario", type=Path, metavar="SCENARIO.toml")

    diff = commands.add("diff", "say what scenario B changes against A", _diff)
    diff.add_argument("a", type=Path, metavar="A.toml")
    diff.add_argument("b", type=Path, metavar="B.toml")

    compare = commands.add("compare", "set two result folders side by side", _compare)
    compare.add_argument("a", type=Path, metavar="RESULT_A")
    compare.add_argument("b", type=Path, metavar="RESULT_B")
    compare.add_argument(
        "--all", dest="everything", action="store_true",
        help="every figure, also by tier, district, line and class of street",
    )  # fmt: skip

    init = commands.add("init", "write an example scenario to start from", _init)
    init.add_argument("folder", nargs="?", type=Path, default=Path(), metavar="DIR")
    init.add_argument(
        "--example", dest="town", action="store_true",
        help="a whole example: a small made-up town, its network, a base and a plan",
    )  # fmt: skip
    commands.add("schema", "print the JSON Schema of scenario files", _schema)
    explain = commands.add("explain", "explain a key of scenario files", _explain)
    explain.add_argument("key", metavar="KEY")


def _run(progress: Progress, scenarios: list[Path], **options: Any) -> int:
    from cczsim.pipeline.runs import run

    return run(scenarios, progress=progress, **options)


def _validate(progress: Progress, scenario: Path) -> int:
    from cczsim.pipeline.scenarios import validate

    return validate(scenario, progress=progress)


def _diff(progress: Progress, a: Path, b: Path) -> int:
    from cczsim.pipeline.scenarios import diff

    return diff(a, b, progress=progress)


def _compare(progress: Progress, a: Path, b: Path, everything: bool) -> int:
    from cczsim.pipeline.scenarios import compare

    return compare(a, b, everything=everything, progress=progress)


def _init(progress: Progress, folder: Path, town: bool) -> int:
    from cczsim.pipeline.scenarios import init

    return init(folder, town=town, progress=progress)


def _schema(progress: Progress) -> int:  # noqa: ARG001
    from cczsim.pipeline.scenarios import schema

    return schema()


def _explain(progress: Progress, key: str) -> int:  # noqa: ARG001
    from cczsim.pipeline.scenarios import explain

    return explain(key)
