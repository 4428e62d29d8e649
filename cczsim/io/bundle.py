"""A built network as a folder: one parquet file a dimension, and network.json.

Lossless: what is read is bit for bit what was saved. Polygons are WKB; text is UTF-8.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from cczsim.columns import TEXT, Columns
from cczsim.errors import CczsimError, InputError, OutputError
from cczsim.network.backdrop import Backdrop
from cczsim.network.network import Network, NetworkInfo
from cczsim.network.road import RoadNetwork
from cczsim.network.transit import TransitNetwork
from cczsim.network.turns import Turns
from cczsim.network.zones import ZoneSystem

FORMAT: Final = 1
_PARTS: Final[dict[str, type[Columns]]] = {
    "road": RoadNetwork,
    "zones": ZoneSystem,
    "transit": TransitNetwork,
    "backdrop": Backdrop,
    "turns": Turns,
    "cut_off": RoadNetwork,
}


def is_bundle(path: Path) -> bool:
    """Return whether a path is a folder that :func:`save_network` wrote."""
    return (path / "network.json").is_file()


def save_network(network: Network, folder: str | Path) -> None:
    """Write a network to a folder: into a new one beside it, renamed when whole.

    Raises
    ------
    OutputError
        The folder holds something else, or cannot be written.
    """
    folder = Path(folder)
    if folder.exists() and not is_bundle(folder) and (folder.is_file() or any(folder.iterdir())):
        raise OutputError.of(
            str(folder), "something that is no built network", "a new folder",
            "choose another --out, or empty the folder",
        )  # fmt: skip
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            made.chmod(0o755)
            _write(network, made)
            if folder.exists():
                shutil.rmtree(folder)
            made.replace(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise OutputError.of(
            str(folder), os.strerror(error.errno or 0), "a folder to write to"
        ) from error


def _write(network: Network, folder: Path) -> None:
    parts: dict[str, dict[str, dict[str, Any]]] = {}
    for part in _PARTS:
        columns = getattr(network, part)
        if columns is None:
            continue
        parts[part] = {}
        for dim, names in columns.dims().items():
            present = [name for name in names if getattr(columns, name) is not None]
            file = f"{part}-{dim.replace('+1', '-offsets')}.parquet"
            parts[part][dim] = {"file": file, "columns": present}
            if present:
                _write_dim(columns, present, folder / file)
    text = json.dumps(
        {"format": FORMAT, "info": asdict(network.info), "parts": parts},
        ensure_ascii=False, indent=1, sort_keys=True,
    )  # fmt: skip
    (folder / "network.json").write_text(text + "\n", encoding="utf-8")


def _write_dim(columns: Columns, names: list[str], file: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {}
    for name in names:
        values = getattr(columns, name)
        match columns.specs()[name].dtype:
            case "text":
                arrays[name] = pa.array([str(v) for v in values], type=pa.string())
            case "object":
                import shapely

                arrays[name] = pa.array(
                    [None if v is None else shapely.to_wkb(v) for v in values], type=pa.binary()
                )
            case _:
                arrays[name] = pa.array(values)
    pq.write_table(pa.table(arrays), file, compression="zstd")


def read_bundle(folder: str | Path) -> Network:
    """Read a network that :func:`save_network` wrote.

    Raises
    ------
    InputError
        A file is missing or damaged, or the folder is of another format.
    """
    folder = Path(folder)
    file = folder / "network.json"
    try:
        head = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError.of(str(file), str(error), "a readable network.json") from error
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        found = head.get("format") if isinstance(head, dict) else head
        raise InputError.of(f"{file}: format", repr(found), str(FORMAT), "build the network again")
    try:
        parts = {name: _read_part(folder, name, head["parts"]) for name in _PARTS}
        about: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in head["info"].items()
        }
        info = NetworkInfo(**about)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError.of(str(file), f"damaged: {error}", "what network build writes") from error
    return Network(info=info, **parts)


def _read_part(folder: Path, part: str, parts: dict[str, Any]) -> Any:
    if part not in parts:
        return None
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns: dict[str, Any] = {}
    specs = _PARTS[part].specs()
    for entry in parts[part].values():
        if not entry["columns"]:
            continue
        file = folder / entry["file"]
        try:
            table = pq.read_table(file, columns=entry["columns"])
        except (OSError, pa.ArrowException) as error:
            raise InputError.of(str(file), str(error), "a parquet file of this network") from error
        for name in entry["columns"]:
            column = table[name]
            if specs[name].dtype == TEXT:
                columns[name] = column.to_pylist()
            elif specs[name].dtype == "object":
                import shapely

                columns[name] = [
                    None if v is None else shapely.from_wkb(v) for v in column.to_pylist()
                ]
            else:
                columns[name] = np.array(column.to_numpy())
    try:
        return _PARTS[part](**columns)
    except CczsimError as error:
        raise InputError(error.faults) from error
