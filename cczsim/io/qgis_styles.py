"""Styles that QGIS takes by itself when it opens a result's GeoPackage (table ``layer_styles``).

Streets are coloured by flow over capacity and drawn as wide as their flow, runs of lines in their
own colour and as wide as their passengers, stops as large as their boardings, zones by their trips.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import quoteattr

if TYPE_CHECKING:
    import pandas

TABLE: Final = "layer_styles"
_DATE: Final = "2020-01-01T00:00:00.000Z"
# The classes and colours of the report's map.
_LOAD: Final = (
    (0.0, 0.5, "111,159,196", "below 50 % of capacity"),
    (0.5, 0.7, "90,168,143", "50 to 70 %"),
    (0.7, 0.85, "230,180,34", "70 to 85 %"),
    (0.85, 1.0, "232,112,42", "85 to 100 %"),
    (1.0, 1e9, "178,24,43", "above 100 %"),
)
_TRIPS: Final = (
    (0.0, 1e3, "237,248,233", "below 1,000 trips/h"),
    (1e3, 5e3, "186,228,179", "1,000 to 5,000"),
    (5e3, 1e4, "116,196,118", "5,000 to 10,000"),
    (1e4, 2e4, "49,163,84", "10,000 to 20,000"),
    (2e4, 1e12, "0,109,44", "above 20,000"),
)


def styles_table(layers: Sequence[str]) -> pandas.DataFrame:
    """Return the rows of ``layer_styles`` for the layers of a GeoPackage that have a style."""
    import pandas as pd

    named = [(layer, _STYLES[layer]) for layer in layers if layer in _STYLES]
    return pd.DataFrame(
        {
            "f_table_catalog": [""] * len(named),
            "f_table_schema": [""] * len(named),
            "f_table_name": [layer for layer, _ in named],
            "f_geometry_column": ["geom"] * len(named),
            "styleName": [layer for layer, _ in named],
            "styleQML": [qml for _, qml in named],
            "styleSLD": [""] * len(named),
            "useAsDefault": [True] * len(named),
            "description": ["cczsim"] * len(named),
            "owner": [""] * len(named),
            "update_time": pd.to_datetime([_DATE] * len(named)),
        }
    )


def _document(renderer: str) -> str:
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>"
        f'<qgis version="3.22" styleCategories="Symbology">{renderer}</qgis>'
    )


def _option(name: str, value: str, kind: str = "QString") -> str:
    return f"<Option name={quoteattr(name)} type={quoteattr(kind)} value={quoteattr(value)}/>"


def _symbol(
    name: str, kind: str, layer: str, options: dict[str, str], driven: dict[str, str]
) -> str:
    """Return a symbol of one layer; ``driven`` gives properties as expressions of the row."""
    fixed = "".join(_option(key, value) for key, value in options.items())
    rules = "".join(
        f'<Option name={quoteattr(key)} type="Map">{_option("active", "true", "bool")}'
        f"{_option('expression', text)}{_option('type', '3', 'int')}</Option>"
        for key, text in driven.items()
    )
    return (
        f'<symbol type="{kind}" name="{name}" alpha="1" clip_to_extent="1" force_rhr="0">'
        f'<layer class="{layer}" enabled="1" locked="0" pass="0">'
        f'<Option type="Map">{fixed}</Option>'
        f'<data_defined_properties><Option type="Map">{_option("name", "")}'
        f'<Option name="properties" type="Map">{rules}</Option>{_option("type", "collection")}'
        "</Option></data_defined_properties></layer></symbol>"
    )


def _graduated(attribute: str, classes: Sequence[tuple[float, float, str, str]], make: str) -> str:
    """Return a renderer that takes its colour from the class of an attribute."""
    ranges = "".join(
        f'<range symbol="{k}" lower="{low!r}" upper="{high!r}" label={quoteattr(label)} '
        'render="true"/>'
        for k, (low, high, _, label) in enumerate(classes)
    )
    symbols = "".join(
        _symbol(
            str(k), "line", "SimpleLine",
            {"line_color": f"{color},255", "line_width": "0.3", "line_width_unit": "MM"},
            {"outlineWidth": 'max(0.1, 0.04 * sqrt(coalesce("flow_pce_h", 0)))'},
        )
        if make == "line"
        else _symbol(
            str(k), "fill", "SimpleFill",
            {"color": f"{color},70", "outline_color": "120,120,120,255",
             "outline_width": "0.1", "style": "solid"},
            {},
        )
        for k, (_, _, color, _) in enumerate(classes)
    )  # fmt: skip
    return _document(
        f'<renderer-v2 type="graduatedSymbol" attr={quoteattr(attribute)} '
        'graduatedMethod="GraduatedColor" symbollevels="0" enableorderby="0" forceraster="0">'
        f"<ranges>{ranges}</ranges><symbols>{symbols}</symbols></renderer-v2>"
    )


def _single(symbol: str) -> str:
    return _document(
        '<renderer-v2 type="singleSymbol" symbollevels="0" enableorderby="0" forceraster="0">'
        f"<symbols>{symbol}</symbols></renderer-v2>"
    )


_STYLES: Final = {
    "links": _graduated("flow_per_capacity", _LOAD, "line"),
    "zones": _graduated("trips_from_h", _TRIPS, "fill"),
    "lines": _single(
        _symbol(
            "0", "line", "SimpleLine",
            {"line_color": "84,39,143,255", "line_width": "0.4", "line_width_unit": "MM"},
            {
                "outlineColor": "if(\"color\" LIKE '#______', \"color\", '#54278f')",
                "outlineWidth": 'max(0.2, 0.03 * sqrt(coalesce("passengers_h", 0)))',
            },
        )
    ),
    "stops": _single(
        _symbol(
            "0", "marker", "SimpleMarker",
            {"name": "circle", "color": "255,255,255,255", "outline_color": "84,39,143,255",
             "outline_width": "0.3", "size": "1.2", "size_unit": "MM"},
            {"size": 'max(0.8, 0.05 * sqrt(coalesce("boardings_h", 0)))'},
        )
    ),
    "backdrop": _single(
        _symbol(
            "0", "fill", "SimpleFill",
            {"color": "200,220,235,255", "outline_style": "no", "style": "solid"},
            {"fillColor": "if(\"kind\" = 'water', '#c6dbef', '#d9ead3')"},
        )
    ),
}  # fmt: skip
