"""Fetch roads, tracks and stops of a place or box from an Overpass server, through OSMnx.

OSMnx makes the query, cuts large areas, geocodes the place and talks to the server; the answer
is taken as the server sent it, by a response hook, so that this project's own tag rules see the
raw tags. Nothing is cached.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np

from cczsim.errors import InputError
from cczsim.io.osm_file import Bbox, check_bbox
from cczsim.io.overpass_json import check_answer, extract_of
from cczsim.osm.extract import OsmExtract
from cczsim.osm.route_tags import ROUTE_MODE

PUBLIC_OVERPASS: Final = "https://overpass-api.de/api"
PUBLIC_NOMINATIM: Final = "https://nominatim.openstreetmap.org"
QUERY: Final[dict[str, bool | str | list[str]]] = {
    "highway": True,
    "railway": [
        "subway", "light_rail", "rail", "monorail", "tram", "station", "halt", "tram_stop", "stop",
    ],
    "public_transport": ["station", "stop_position"],
    "barrier": True,
    "restriction": True,
}  # fmt: skip


def fetch_extract(
    area: str | Bbox,
    overpass_url: str = PUBLIC_OVERPASS,
    *,
    nominatim_url: str = PUBLIC_NOMINATIM,
    timeout: float = 180.0,
    routes: bool = False,
) -> OsmExtract:
    """Fetch what networks are made of, with all tags.

    Ways that leave the area end at the last node inside. Relations other than those with one of
    the queried tags are not fetched.

    Parameters
    ----------
    area : str or (west, south, east, north)
        A place name, which Nominatim must know as a polygon, or a box in degrees.
    overpass_url : str
        Address of the server, without ``/interpreter``; a private one works.
    nominatim_url : str
        Address of the geocoder; asked only for a place name.
    timeout : float
        Seconds for each request.
    routes : bool
        Whether to fetch route relations of the modes that lines are built of, with their members.

    Raises
    ------
    InputError
        The box is none, the place is not known, or a server cannot be reached or does not answer
        with a whole result.
    """
    import shapely

    for key, url in (("overpass_url", overpass_url), ("nominatim_url", nominatim_url)):
        if not url.startswith(("http://", "https://")):
            raise InputError.of(key, repr(url), "an address that begins with http:// or https://")
    if not isinstance(area, str):
        check_bbox(area, "overpass")
    query = {**QUERY, "route": sorted(ROUTE_MODE)} if routes else QUERY
    with _osmnx(overpass_url, nominatim_url, timeout) as (osmnx, answers):
        polygon = _polygon(osmnx, area, nominatim_url)
        try:
            osmnx.features_from_polygon(polygon, query)
        except InterruptedError:
            pass  # cache_only_mode: OSMnx stops after the download, as asked
        except (OSError, ValueError) as error:
            raise _unreachable(overpass_url, "an Overpass server", error) from error
    extract = extract_of(answers, overpass_url)
    inside = shapely.intersects_xy(polygon, extract.node_lon, extract.node_lat)
    if not inside.any():
        raise InputError.of(
            overpass_url, f"no road, track or stop in {area!r}", "an area with streets",
            "check the area and that the server's database covers it",
        )  # fmt: skip
    extract = extract.inside(np.asarray(inside), "outside the area")
    missing = int((extract.node_rows(extract.way_ref) < 0).sum())
    if missing:
        extract.left_out.setdefault("way_ref", {})["node not in the extract"] = missing
    return extract


@contextmanager
def _osmnx(
    overpass_url: str, nominatim_url: str, timeout: float
) -> Iterator[tuple[Any, list[dict[str, Any]]]]:
    """Set OSMnx up for one fetch and put its settings back afterwards."""
    import osmnx

    answers: list[dict[str, Any]] = []

    def hook(response: Any, *_: Any, **__: Any) -> None:
        try:
            # OSMnx waits 55 s and asks again without end on 429 and 504: an error ends that here.
            if not response.ok:
                raise InputError.of(
                    response.url.split("?")[0],
                    f"status {response.status_code} {response.reason}",
                    "an answer",
                    "wait and try again, or name another server",
                )
            if response.url.split("?")[0].endswith("/interpreter"):
                answers.append(_json(response))
        except InputError:
            response.close()
            raise

    values = {
        "overpass_url": overpass_url.rstrip("/"),
        "nominatim_url": nominatim_url.rstrip("/"),
        "requests_timeout": timeout,
        "requests_kwargs": {"hooks": {"response": hook}},
        "overpass_rate_limit": False,
        "use_cache": False,
        "cache_only_mode": True,
        "doh_url_template": None,
    }
    before = {name: getattr(osmnx.settings, name) for name in values}
    resolver = socket.getaddrinfo  # OSMnx replaces it to pin the server's address
    try:
        for name, value in values.items():
            setattr(osmnx.settings, name, value)
        yield osmnx, answers
    finally:
        socket.getaddrinfo = resolver
        for name, value in before.items():
            setattr(osmnx.settings, name, value)


def _json(response: Any) -> dict[str, Any]:
    where = response.url.split("?")[0]
    try:
        answer = response.json()
    except ValueError:
        answer = None
    return check_answer(answer, where, response.text, "the address should end before /interpreter")


def _polygon(osmnx: Any, area: str | Bbox, nominatim_url: str) -> Any:
    import shapely

    if not isinstance(area, str):
        return shapely.box(*area)
    try:
        polygon = osmnx.geocode_to_gdf(area).geometry.iloc[0]
    except OSError as error:
        raise _unreachable(nominatim_url, "a Nominatim server", error) from error
    except (ValueError, TypeError, KeyError) as error:
        raise InputError.of(
            nominatim_url, f"no polygon for the place {area!r} ({error})",
            "the name of a district, city or county",
            "add the city and country, or give a box west, south, east, north",
        ) from error  # fmt: skip
    return polygon


def _unreachable(url: str, what: str, error: Exception) -> InputError:
    text = str(error)
    return InputError.of(
        url, f"no answer ({type(error).__name__}: {text[:160]})", f"{what} that answers",
        "check the address and the connection, or read an extract file instead",
    )  # fmt: skip
