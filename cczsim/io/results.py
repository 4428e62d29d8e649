"""Result folders: written whole or not at all, and read back to be compared."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from cczsim.errors import CczsimError, InputError, OutputError
from cczsim.indicators.indicator import Indicator
from cczsim.io.qgis_styles import TABLE as STYLES
from cczsim.io.qgis_styles import styles_table
from cczsim.io.result_tables import (
    backdrop_table,
    lines_table,
    links_table,
    stops_table,
    zones_table,
)
from cczsim.scenario.compare import Comparison
from cczsim.scenario.result import RunResult

RECORD: Final = "run.json"
# GeoPackage stamps the time of writing into each layer; a fixed one keeps the bytes the same.
_GPKG_DATE: Final = "2020-01-01T00:00:00.000Z"


@dataclass(frozen=True)
class StoredResult:
    """What a comparison needs of a result folder; ``missed`` are the keys of missed targets."""

    name: str
    title: str
    indicators: tuple[Indicator, ...]
    noise: float
    record: dict[str, Any]
    missed: tuple[str, ...] = ()


def write_result(
    result: RunResult,
    base: RunResult | None,
    comparison: Comparison | None,
    folder: Path,
    report_html: str | None,
    run_record: Mapping[str, Any],
    resolved: str = "",
) -> None:
    """Write a result folder, whole or not at all.

    Parameters
    ----------
    result, base, comparison
        ``base`` and ``comparison`` are None where nothing is compared.
    folder : Path
        An earlier result in its place is replaced; anything else is left alone.
    report_html : str, optional
        The page.
    run_record : mapping
        Content of ``run.json``: the only file that may hold times.
    resolved : str
        Content of ``resolved.toml``.

    Raises
    ------
    OutputError
        The folder holds something else, or the disk refuses.
    """
    with whole_folder(folder) as part:
        (part / "resolved.toml").write_text(resolved, encoding="utf-8", newline="\n")
        _write_ledger(result, part / "demand_ledger.csv")
        if result.periods:
            _write_period_ledgers(result, part / "demand_ledger_periods.csv")
        _write_json(part / "indicators.json", _figures(result, base, comparison))
        _write_tables(result, part)
        if report_html is not None:
            (part / "report.html").write_text(report_html, encoding="utf-8", newline="\n")
        _write_json(part / RECORD, run_record)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a folder to write in, which takes the place of ``folder`` when the block ends well.

    Raises
    ------
    OutputError
        ``folder`` holds something that is no result, or the disk refuses; nothing is left behind.
    """
    check_place(folder)
    part = folder.parent / f".{folder.name}.part"
    old = folder.parent / f".{folder.name}.old"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        for left in (part, old):
            shutil.rmtree(left, ignore_errors=True)
        part.mkdir()
        yield part
        _to_disk(part)
        if folder.exists():
            folder.replace(old)
        part.replace(folder)
    except CczsimError:
        raise
    except Exception as error:
        if not _is_disk_error(error):
            raise
        said = getattr(error, "strerror", None) or str(error)
        raise OutputError.of(
            str(folder), said, "a folder that can be written",
            "make room or choose another place with --out; nothing was left half-written",
        ) from error  # fmt: skip
    finally:
        if old.exists() and not folder.exists():
            old.replace(folder)
        for left in (part, old):
            shutil.rmtree(left, ignore_errors=True)


def _to_disk(folder: Path) -> None:
    """Have the disk hold what a folder holds, so that no loss of power leaves a hollow result."""
    for path in (*sorted(folder.iterdir()), folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _is_disk_error(error: Exception) -> bool:
    """Return whether the disk or a library of formats refused, rather than our own code."""
    return isinstance(error, OSError) or type(error).__module__.startswith(("pyogrio", "pyarrow"))


def check_place(folder: Path) -> None:
    """Raise where a result may not be written, before anything is computed.

    Raises
    ------
    OutputError
        The place holds something that is no result, or cannot be a folder.
    """
    if folder.is_dir():
        try:
            names = sorted(p.name for p in folder.iterdir())
        except OSError as error:
            raise OutputError.of(str(folder), error.strerror or str(error), "a folder") from None
        if names and not is_result(folder):
            raise OutputError.of(
                str(folder), f"a folder with other things in it ({', '.join(names[:3])}, …)",
                "a new folder, an empty one, or an earlier result", "choose another with --out",
            )  # fmt: skip
    elif folder.exists():
        raise OutputError.of(str(folder), "a file", "a folder", "choose another with --out")
    else:
        above = next((p for p in folder.parents if p.exists()), None)
        if above is not None and not above.is_dir():
            raise OutputError.of(str(above), "a file", "a folder", "choose another with --out")


def is_result(folder: Path) -> bool:
    """Return whether a folder holds a result of this program."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(record, dict) and "cczsim" in record


def _write_json(path: Path, value: Any) -> None:
    text = json.dumps(_finite(value), ensure_ascii=False, indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _finite(value: Any) -> Any:
    """Return a value with null for what JSON cannot say."""
    if isinstance(value, Mapping):
        return {str(k): _finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def _write_ledger(result: RunResult, path: Path) -> None:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["stage", "item", "trips_per_hour", "why"])
    rows.writerows([r.stage, r.item, repr(r.trips), r.why] for r in result.ledger)
    path.write_text(text.getvalue(), encoding="utf-8", newline="\n")


def _write_period_ledgers(result: RunResult, path: Path) -> None:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["period", "hours", "stage", "item", "trips_per_hour", "why"])
    for run in result.periods:
        rows.writerows(
            [run.name, repr(run.hours), r.stage, r.item, repr(r.trips), r.why]
            for r in run.result.ledger
        )
    path.write_text(text.getvalue(), encoding="utf-8", newline="\n")


def _figures(
    result: RunResult, base: RunResult | None, comparison: Comparison | None
) -> dict[str, Any]:
    indicators = [
        {"key": i.key, "by": dict(sorted(i.by.items())), "value": i.value, "unit": i.unit}
        | ({"note": i.note} if i.note else {})
        for i in result.indicators
    ]
    out: dict[str, Any] = {
        "name": result.name,
        "title": result.title,
        "year": result.year,
        "indicators": indicators,
        "targets": [asdict(row) for row in result.targets],
        "observations": [asdict(row) | {"residual": row.residual} for row in result.observations],
        "changes": [asdict(row) for row in result.changes],
        "assumptions": [asdict(row) for row in result.assumptions],
    }
    if base is not None and comparison is not None:
        out["compared_to"] = base.name
        out["noise"] = {"base": comparison.noise_a, "scenario": comparison.noise_b}
        out["comparison"] = [
            {
                "key": row.key, "by": dict(sorted(row.by.items())), "unit": row.unit,
                "base": row.a, "scenario": row.b, "difference": row.difference,
                "bound": row.bound, "explained_by_gap": row.explained_by_gap,
            }
            for row in comparison.rows
        ]  # fmt: skip
    return out


def _write_tables(result: RunResult, part: Path) -> None:
    import pyogrio

    links, lines, stops, zones = (
        links_table(result), lines_table(result), stops_table(result), zones_table(result)
    )  # fmt: skip
    for name, table in (("links", links), ("lines", lines), ("zones", zones)):
        if table is not None:
            table.to_parquet(part / f"{name}.parquet", index=False)
    layers = {
        "links": links, "lines": lines, "stops": stops, "zones": zones,
        "backdrop": backdrop_table(result),
    }  # fmt: skip
    written: list[str] = []
    before = pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _GPKG_DATE})
    try:
        for name, table in layers.items():
            if table is not None and len(table) and not table.geometry.isna().all():
                pyogrio.write_dataframe(
                    table, part / "result.gpkg", layer=name, driver="GPKG",
                    geometry_type=_geometry_type(table),
                )  # fmt: skip
                written.append(name)
        if written:
            pyogrio.write_dataframe(
                styles_table(written), part / "result.gpkg", layer=STYLES, driver="GPKG"
            )
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": before})


def _geometry_type(table: Any) -> str:
    kinds = sorted({str(kind) for kind in table.geometry.geom_type.dropna().unique()})
    return kinds[0] if len(kinds) == 1 else "Unknown"


def read_result(folder: str | Path) -> StoredResult:
    """Read back what a comparison needs.

    Raises
    ------
    InputError
        The folder is missing, or holds no whole result.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError.of(str(folder), "no such folder", "a result folder")
    if not is_result(folder):
        raise InputError.of(
            str(folder), f"no {RECORD} of cczsim in it", "a result folder",
            "name the folder of one scenario, such as results/plan-2025",
        )  # fmt: skip
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        figures = json.loads((folder / "indicators.json").read_text(encoding="utf-8"))
        indicators = tuple(
            Indicator(
                item["key"], math.nan if item["value"] is None else float(item["value"]),
                item["unit"], dict(item["by"]), item.get("note", ""),
            )
            for item in figures["indicators"]
        )  # fmt: skip
        noise = float(record["noise"])
        missed = tuple(row["key"] for row in figures["targets"] if row["met"] is False)
        return StoredResult(figures["name"], figures["title"], indicators, noise, record, missed)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError.of(
            str(folder), f"a result that cannot be read ({error})", "a whole result folder",
            "run the scenario again",
        ) from None  # fmt: skip
