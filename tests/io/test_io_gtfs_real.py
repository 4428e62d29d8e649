"""Two real feeds, counted by hand and by a few lines of pandas."""

from __future__ import annotations

import zipfile
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from gtfs_case import lines_on, row

from cczsim.errors import InputError


class Counted:
    """What a few lines of pandas count in a feed."""

    def __init__(self, path: Path, weekday: str, date: str, begin: str, end: str) -> None:
        with zipfile.ZipFile(path) as archive:
            table = {n: pd.read_csv(archive.open(n), dtype=str) for n in archive.namelist()}
        week = table["calendar.txt"]
        runs = (week[weekday] == "1") & (week.start_date <= date) & (week.end_date >= date)
        services = set(week.service_id[runs])
        if "calendar_dates.txt" in table:
            days = table["calendar_dates.txt"].query("date == @date")
            services |= set(days.service_id[days.exception_type == "1"])
            services -= set(days.service_id[days.exception_type == "2"])
        trips = table["trips.txt"]
        trips = trips[trips.service_id.isin(services)]
        times = table["stop_times.txt"].astype({"stop_sequence": int})
        times = times[times.trip_id.isin(trips.trip_id)].sort_values(["trip_id", "stop_sequence"])
        first = times.groupby("trip_id").departure_time.first().str.zfill(8)
        self.trips = first[(first >= begin) & (first < end)].index
        own = times[times.trip_id.isin(self.trips)]
        self.stops = own.stop_id.nunique()
        self.routes = trips[trips.trip_id.isin(self.trips)].route_id.nunique()
        self.times, self.table = own, trips.set_index("trip_id").loc[self.trips]
        stops = own.groupby("trip_id").stop_id.agg(
            lambda s: ">".join(s[s != s.shift()])
        )  # fmt: skip
        way = self.table.get("direction_id", pd.Series("", self.table.index)).fillna("")
        self.pattern = self.table.route_id + "|" + way + "|" + stops


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "begin", "end", "known"),
    [
        ("bus", "12:00", "14:00", (3942, 114, 1129, 199)),
        ("rail", "07:00", "09:00", (24, 2, 72, 8)),
        ("rail", "17:00", "19:00", None),
    ],
)
def test_porto_alegre_is_counted_as_pandas_counts_it(
    data_dir: Path, name: str, begin: str, end: str, known: tuple[int, ...] | None
) -> None:
    path = data_dir / f"gtfs/porto-alegre-{name}.zip"
    found = lines_on(path, "2019-05-14", begin, end)
    own = Counted(path, "tuesday", "20190514", f"{begin}:00", f"{end}:00")
    report = found.reports[0]
    ours = tuple(
        report[key] for key in ("stops_in_window", "routes_in_window", "trips_in_window", "lines")
    )
    assert ours == (own.stops, own.routes, len(own.trips), own.pattern.nunique())
    assert known is None or ours == known
    net = found.transit
    counts = Counter((7200.0 / net.headway).round(6).tolist())
    assert counts == Counter(own.pattern.value_counts().astype(float).tolist())


@pytest.mark.data
def test_three_lines_of_porto_alegre_by_hand(data_dir: Path) -> None:
    bus = lines_on(data_dir / "gtfs/porto-alegre-bus.zip", "2019-05-14", "12:00", "14:00")
    rail = lines_on(data_dir / "gtfs/porto-alegre-rail.zip", "2019-05-14")
    for found, part, begin, line, route, way in (
        (bus, "bus", "12:00", "porto-alegre-bus:T1:0:1", "T1", "0"),
        (bus, "bus", "12:00", "porto-alegre-bus:T12:0:1", "T12", "0"),
        (rail, "rail", "07:00", "porto-alegre-rail:LINHA1:-:1", "LINHA1", ""),
    ):
        end = "14:00:00" if part == "bus" else "09:00:00"
        path = data_dir / f"gtfs/porto-alegre-{part}.zip"
        own = Counted(path, "tuesday", "20190514", f"{begin}:00", end)
        of_way = own.pattern[own.pattern.str.startswith(f"{route}|{way}|")]
        trips = of_way[of_way == of_way.value_counts().idxmax()].index
        headway, names, run, length = row(found, line)
        assert headway == pytest.approx(7200.0 / len(trips))
        ends = own.times.dropna(subset="arrival_time").groupby("trip_id")
        span = (pd.to_timedelta(ends.arrival_time.last()[trips].str.zfill(8))
                - pd.to_timedelta(ends.departure_time.first()[trips].str.zfill(8)))  # fmt: skip
        assert sum(run) == pytest.approx(span.dt.total_seconds().mean())
        assert len(names) == len(of_way[trips[0]].split(">"))
        assert 10.0 < 3.6 * sum(length) / sum(run) < 60.0
    # Mercado to Novo Hamburgo: 43.8 km of track.
    assert sum(row(rail, "porto-alegre-rail:LINHA1:-:1")[3]) == pytest.approx(43_000, rel=0.05)


@pytest.mark.data
def test_the_buses_of_porto_alegre_do_not_run_in_the_morning(data_dir: Path) -> None:
    with pytest.raises(InputError, match="they start from 11:20 to 16:00"):
        lines_on(data_dir / "gtfs/porto-alegre-bus.zip", "2019-05-14")
