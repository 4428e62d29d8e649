"""Results in a PostGIS database: one schema, a key for each run, one transaction for each load.

The schema is ``cczsim``. ``runs`` holds a row a result; ``links``, ``lines``, ``stops`` and
``zones``, with ``geom`` in EPSG:4326, ``indicators``, ``targets`` and ``ledger`` hold its rows by
``run_id``.
A run that is loaded again under its key takes the place of the former one. Names and values reach
the server as data or as quoted identifiers, never as text of a statement.
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from cczsim.errors import InputError, OutputError
from cczsim.io.results import RECORD, is_result

if TYPE_CHECKING:
    import geopandas
    import psycopg

SCHEMA: Final = "cczsim"
LAYERS: Final = ("links", "lines", "stops", "zones")
SCHEMES: Final = ("postgresql", "postgres")
_LOCK: Final = 0x6363_7A73  # any fixed number: two loads must not make the schema at once
_MIGRATIONS: Final = (
    """
    CREATE TABLE {s}.runs (
      run_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
      key text NOT NULL UNIQUE,
      name text NOT NULL, title text NOT NULL, year integer, compared_to text, status text NOT NULL,
      relative_gap double precision, cczsim text NOT NULL, record jsonb NOT NULL,
      loaded_at timestamptz NOT NULL DEFAULT now());
    CREATE TABLE {s}.indicators (
      run_id bigint NOT NULL REFERENCES {s}.runs ON DELETE CASCADE,
      key text NOT NULL, "by" jsonb NOT NULL, value double precision, unit text NOT NULL, note text,
      PRIMARY KEY (run_id, key, "by"));
    CREATE TABLE {s}.targets (
      run_id bigint NOT NULL REFERENCES {s}.runs ON DELETE CASCADE,
      key text NOT NULL, rule text NOT NULL, unit text NOT NULL, base double precision,
      value double precision, met boolean, PRIMARY KEY (run_id, key));
    CREATE TABLE {s}.ledger (
      run_id bigint NOT NULL REFERENCES {s}.runs ON DELETE CASCADE,
      row integer NOT NULL, stage text NOT NULL, item text NOT NULL,
      trips_per_hour double precision NOT NULL, why text NOT NULL, PRIMARY KEY (run_id, row));
    """,
    *(
        f"""
        CREATE TABLE {{s}}.{layer} (
          run_id bigint NOT NULL REFERENCES {{s}}.runs ON DELETE CASCADE,
          row integer NOT NULL, geom geometry(Geometry, 4326), PRIMARY KEY (run_id, row));
        CREATE INDEX ON {{s}}.{layer} USING gist (geom);
        """
        for layer in LAYERS
    ),
)
"""Statements that take the schema from each version to the next; never change one, add one."""


def is_database(target: str) -> bool:
    """Return whether a text is the address of a database."""
    return target.startswith(tuple(f"{scheme}://" for scheme in SCHEMES))


def load_result(folder: Path, address: str, key: str | None = None) -> dict[str, int]:
    """Load a result folder into a database, in one transaction.

    Parameters
    ----------
    folder : Path
    address : str
        ``postgresql://user@host:port/database``; what it leaves out comes from libpq's variables.
    key : str, optional
        What the run is called there; its name where None. A run of that key is replaced.

    Returns
    -------
    dict of str to int
        Rows by table.

    Raises
    ------
    InputError
        The folder holds no whole result.
    OutputError
        The driver is not installed; the database cannot be reached, has no PostGIS, is of a newer
        schema, or refuses. Then it is as it was.
    """
    figures, record, ledger = _read(folder)
    where = _without_secret(address)
    try:
        import psycopg
    except ImportError:
        raise OutputError.of(
            where, "no driver for PostgreSQL", "the package psycopg",
            "install the extra: pip install 'cczsim[database]'",
        ) from None  # fmt: skip
    try:
        with psycopg.connect(address, connect_timeout=10) as link:
            # The block commits when it ends well; whatever happens before leaves the former state.
            link.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            _migrate(link, where)
            run_id = _add_run(link, key or figures["name"], figures, record)
            return {
                "indicators": _copy(link, "indicators", *_indicator_rows(figures, run_id)),
                "targets": _copy(link, "targets", *_target_rows(figures, run_id)),
                "ledger": _copy(link, "ledger", *_ledger_rows(ledger, run_id)),
                **{name: _add_layer(link, name, folder, run_id) for name in LAYERS},
            }
    except psycopg.Error as error:
        said = str(error).strip().splitlines()
        raise OutputError.of(
            where, said[0] if said else type(error).__name__, "a database that takes the result",
            "nothing of this load was kept",
        ) from None  # fmt: skip


def _without_secret(address: str) -> str:
    """Return an address as it may be shown: without user and password."""
    parts = urlsplit(address)
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path}"


def _read(folder: Path) -> tuple[dict[str, Any], dict[str, Any], list[dict[str, str]]]:
    if not is_result(folder):
        raise InputError.of(
            str(folder), f"no {RECORD} of cczsim in it", "a result folder",
            "name the folder of one scenario, such as results/plan-2025",
        )  # fmt: skip
    try:
        figures = json.loads((folder / "indicators.json").read_text(encoding="utf-8"))
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        with (folder / "demand_ledger.csv").open(encoding="utf-8", newline="") as stream:
            return figures, record, list(csv.DictReader(stream))
    except (OSError, ValueError) as error:
        raise InputError.of(str(folder), str(error), "a whole result folder") from None


def _migrate(link: psycopg.Connection[Any], where: str) -> None:
    from psycopg import sql

    have = link.execute("SELECT 1 FROM pg_extension WHERE extname = 'postgis'").fetchone()
    if have is None:
        link.execute("CREATE EXTENSION postgis")
    names = {"s": sql.Identifier(SCHEMA)}
    link.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {s}").format(**names))
    link.execute(
        sql.SQL("CREATE TABLE IF NOT EXISTS {s}.schema_version (version integer NOT NULL)")
        .format(**names)
    )  # fmt: skip
    row = link.execute(
        sql.SQL("SELECT coalesce(max(version), 0) FROM {s}.schema_version").format(**names)
    ).fetchone()
    version = int(row[0]) if row else 0
    if version > len(_MIGRATIONS):
        raise OutputError.of(
            f"{where}: {SCHEMA}.schema_version", str(version), f"at most {len(_MIGRATIONS)}",
            "a newer cczsim made this schema; take that one",
        )  # fmt: skip
    for number, statements in enumerate(_MIGRATIONS[version:], version + 1):
        link.execute(sql.SQL(statements).format(**names))
        link.execute(
            sql.SQL("INSERT INTO {s}.schema_version VALUES (%s)").format(**names), (number,)
        )


def _add_run(
    link: psycopg.Connection[Any], key: str, figures: Mapping[str, Any], record: Mapping[str, Any]
) -> int:
    from psycopg import sql
    from psycopg.types.json import Jsonb

    names = {"s": sql.Identifier(SCHEMA)}
    link.execute(sql.SQL("DELETE FROM {s}.runs WHERE key = %s").format(**names), (key,))
    row = link.execute(
        sql.SQL(
            "INSERT INTO {s}.runs (key, name, title, year, compared_to, status, relative_gap, "
            "cczsim, record) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) RETURNING run_id"
        ).format(**names),
        (
            key, figures["name"], figures["title"], figures.get("year"),
            figures.get("compared_to"), record["status"], record.get("relative_gap"),
            record["cczsim"], Jsonb(record),
        ),
    ).fetchone()  # fmt: skip
    assert row is not None
    return int(row[0])


def _copy(
    link: psycopg.Connection[Any], table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> int:
    from psycopg import sql

    count = 0
    statement = sql.SQL("COPY {}.{} ({}) FROM STDIN").format(
        sql.Identifier(SCHEMA), sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
    )  # fmt: skip
    with link.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def _indicator_rows(figures: Mapping[str, Any], run_id: int) -> tuple[Sequence[str], Any]:
    columns = ("run_id", "key", "by", "value", "unit", "note")
    return columns, (
        (run_id, i["key"], json.dumps(i["by"], ensure_ascii=False), i["value"], i["unit"],
         i.get("note"))
        for i in figures["indicators"]
    )  # fmt: skip


def _target_rows(figures: Mapping[str, Any], run_id: int) -> tuple[Sequence[str], Any]:
    columns = ("run_id", "key", "rule", "unit", "base", "value", "met")
    return columns, ((run_id, *(row[name] for name in columns[1:])) for row in figures["targets"])


def _ledger_rows(ledger: Sequence[Mapping[str, str]], run_id: int) -> tuple[Sequence[str], Any]:
    columns = ("run_id", "row", "stage", "item", "trips_per_hour", "why")
    return columns, (
        (run_id, k, r["stage"], r["item"], float(r["trips_per_hour"]), r["why"])
        for k, r in enumerate(ledger)
    )


def _add_layer(link: psycopg.Connection[Any], layer: str, folder: Path, run_id: int) -> int:
    """Copy one layer; columns that the table does not have yet are added to it."""
    from psycopg import sql

    table = _layer(layer, folder)
    if table is None:
        return 0
    names = [str(n) for n in table.columns if n != table.geometry.name]
    types = {name: _type_of(table[name]) for name in names}
    for name, (kind, _) in types.items():
        link.execute(
            sql.SQL("ALTER TABLE {}.{} ADD COLUMN IF NOT EXISTS {} {}").format(
                sql.Identifier(SCHEMA), sql.Identifier(layer), sql.Identifier(name), sql.SQL(kind)
            )
        )
    columns = [map(types[name][1], table[name].tolist()) for name in names]
    shapes = table.geometry.to_wkb(hex=True, include_srid=True).tolist()
    rows = zip(*columns, strict=True) if columns else iter([()] * len(table))
    return _copy(
        link, layer, ["run_id", "row", "geom", *names],
        (
            (run_id, k, shape, *row)
            for k, (shape, row) in enumerate(zip(shapes, rows, strict=True))
        ),
    )  # fmt: skip


def _layer(layer: str, folder: Path) -> geopandas.GeoDataFrame | None:
    import geopandas
    import pyogrio

    parquet, package = folder / f"{layer}.parquet", folder / "result.gpkg"
    try:
        if parquet.is_file():
            table = geopandas.read_parquet(parquet)
        elif package.is_file() and layer in {str(row[0]) for row in pyogrio.list_layers(package)}:
            table = geopandas.read_file(package, layer=layer)
        else:
            return None
    except (OSError, ValueError, pyogrio.errors.DataSourceError) as error:
        raise InputError.of(str(folder), str(error), "a whole result folder") from None
    return table.set_crs("EPSG:4326", allow_override=True)


def _type_of(column: Any) -> tuple[str, Callable[[Any], Any]]:
    """Return the type of a column on the server, and what turns its values into what is sent."""
    match column.dtype.kind if hasattr(column.dtype, "kind") else "O":
        case "b":
            return "boolean", bool
        case "i" | "u":
            return "bigint", int
        case "f":
            return "double precision", lambda v: None if math.isnan(v) else v
        case _:
            # NUL is the one character that the server's text cannot hold.
            return "text", lambda v: v.replace("\0", "�") if isinstance(v, str) else None
