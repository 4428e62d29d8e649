"""Fares of a feed: ``fare_attributes.txt`` and ``fare_rules.txt`` become tickets with rules.

Rules, numbered in the code:

1. Prices are turned into the scenario's money at a rate that is given; without one only prices in
   CNY are taken, as they stand.
2. A fare without rules holds on the routes that no rule of another fare names, so that a base fare
   stands beside those of special routes; on those of its agency where it names one of several.
3. ``transfer_duration`` is not held against journeys, and ``payment_method`` means nothing here.

Source: General Transit Feed Specification, Schedule reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from cczsim.columns import Array, texts
from cczsim.io.gtfs_calendar import numbers_of
from cczsim.io.gtfs_tables import Feed, rows_once

_OWN: Final = "CNY"
_COLUMNS: Final = {
    "rule_route": "route_id", "rule_from": "origin_id", "rule_to": "destination_id",
    "rule_contains": "contains_id",
}  # fmt: skip


def read_fares(
    feed: Feed, routes: pd.DataFrame, zones: Array, system: str, rate: float | None
) -> dict[str, Array]:
    """Return the columns of tickets and their rules; none where no fare is taken.

    Parameters
    ----------
    routes : DataFrame
        Those of public transport.
    zones : array of str
        Fare zones of stops.
    system : str
        What the tickets hold for.
    rate : float, optional
        Scenario's money for one of the feed's (1).
    """
    add = feed.findings.add
    fares = rows_once(
        feed.tables["fare_attributes.txt"], "fare_id", "fare_attributes.txt", feed.findings
    )
    price = numbers_of(fares["price"])
    add(
        "fare_attributes.txt", "fares without a price", fares["fare_id"][~(price >= 0.0)],
        "left out",
    )  # fmt: skip
    fares, price = fares[price >= 0.0].reset_index(drop=True), price[price >= 0.0]
    if not len(fares):
        return {}
    foreign = sorted({str(c) for c in fares["currency_type"]} - {_OWN})
    if rate is None and foreign:
        add(
            "fare_attributes.txt", f"prices in {' and '.join(c or 'no currency' for c in foreign)}",
            fares["fare_id"], "not used: give fare_rate in [[transit.gtfs]], CNY for one of it",
        )  # fmt: skip
        return {}
    add(
        "fare_attributes.txt", "fares with a transfer_duration",
        fares["fare_id"][numbers_of(fares["transfer_duration"]) > 0.0],
        "changes are taken as made in time",
    )  # fmt: skip
    rules = _rules(feed, fares, routes, zones)
    kept = np.unique(rules["ticket"].to_numpy(dtype=np.int64))
    transfers = numbers_of(fares["transfers"])[kept]
    return {
        "ticket_system": texts([system] * len(kept)),
        "ticket_price": price[kept] * (1.0 if rate is None else rate),
        "ticket_transfers": np.where(transfers >= 0.0, transfers, -1.0).astype(np.int32),
        "ticket_zones": np.zeros(len(kept)),
        "rule_ticket": np.searchsorted(kept, rules["ticket"].to_numpy(dtype=np.int64)),
        **{name: texts(rules[own].tolist()) for name, own in _COLUMNS.items()},
    }


def _rules(feed: Feed, fares: pd.DataFrame, routes: pd.DataFrame, zones: Array) -> pd.DataFrame:
    """Return rules by ticket; a ticket that holds on no route has none."""
    add = feed.findings.add
    rules = feed.tables["fare_rules.txt"].copy()
    rules["ticket"] = pd.Index(fares["fare_id"]).get_indexer(rules["fare_id"])
    unknown = rules["ticket"] < 0
    add("fare_rules.txt", "rules of an unknown fare", rules["fare_id"][unknown], "left out")
    rules = rules[~unknown]
    known = {str(zone) for zone in zones} | {""}
    alien = {
        str(z) for own in ("origin_id", "destination_id", "contains_id") for z in rules[own]
    } - known
    add("fare_rules.txt", "zones that no stop has", sorted(alien), "their rules never hold")
    base = np.setdiff1d(np.arange(len(fares)), rules["ticket"])
    named = set(rules["route_id"]) - {""}
    others = [route for route in routes["route_id"] if route not in named] if named else [""]
    everywhere = pd.MultiIndex.from_product([base, others], names=["ticket", "route_id"])  # 2
    rules = pd.concat([rules, everywhere.to_frame(index=False)], ignore_index=True).fillna("")
    agency: Mapping[Any, Any] = dict(enumerate(fares["agency_id"]))
    if routes["agency_id"].nunique() > 1:
        of_agency = routes.groupby("agency_id")["route_id"].agg(list).to_dict()
        rules["route_id"] = [
            of_agency.get(agency[ticket], []) if not route and agency[ticket] else route
            for ticket, route in zip(rules["ticket"], rules["route_id"], strict=True)
        ]
        rules = rules.explode("route_id").dropna(subset="route_id")
    return rules[rules["route_id"].isin({"", *routes["route_id"]})]
