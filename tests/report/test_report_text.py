from __future__ import annotations

import dataclasses
import re
import string

import pytest

from cczsim.assignment.result import Status
from cczsim.assignment.transit_params import TransitParams
from cczsim.demand.params import DemandParams
from cczsim.network.provenance import Source
from cczsim.network.road_class import ROAD_CLASSES
from cczsim.network.transit import MODES
from cczsim.network.zones import TIERS
from cczsim.report.text import Both, catalogue, known, remark, same, sentences, term, text


def test_both_languages_have_the_same_keys_and_placeholders() -> None:
    en, zh = catalogue("en"), catalogue("zh")
    assert en.keys() == zh.keys()
    for key, english in en.items():
        names = [
            {name for _, name, _, _ in string.Formatter().parse(words) if name}
            for words in (english, zh[key])
        ]
        assert names[0] == names[1], key
        assert english, key
        assert zh[key], key


def test_the_chinese_texts_are_chinese_but_for_names_and_units() -> None:
    untranslated = [
        key for key, words in catalogue("zh").items() if not re.search(r"[\u4e00-\u9fff]", words)
    ]
    assert untranslated == []


@pytest.mark.parametrize(
    ("group", "names"),
    [
        ("class", ROAD_CLASSES),
        ("mode", MODES),
        ("area", TIERS),
        ("area_short", TIERS),
        ("source", [source.name.lower() for source in Source]),
        ("status", [status.value for status in Status]),
    ],
)
def test_every_code_has_a_word(group: str, names: tuple[str, ...]) -> None:
    assert [name for name in names if not known(f"{group}.{name}")] == []


def test_a_code_without_a_word_stands_for_itself() -> None:
    assert term("mode", "hovercraft") == same("hovercraft")


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        text("no.such.key")


def test_html_is_escaped_in_both_languages() -> None:
    shown = Both("a<b", "甲&乙").__html__()
    assert shown == '<span lang="en">a&lt;b</span><span lang="zh">甲&amp;乙</span>'
    assert same('"<i>"').__html__() == "&quot;&lt;i&gt;&quot;"


def test_joining_leaves_out_what_is_empty() -> None:
    joined = text("area.central").join("", same("x"))
    assert joined == Both("central zone · x", "中心区 · x")


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "60 km/h on 4474 directed links (1829.8 km) (arterials)",
            "4474 条有向路段（1829.8 公里）改为 60 公里/小时（arterials）",
        ),
        ("3 lanes on 2 directed links (4.0 km)", "2 条有向路段（4.0 公里）改为 3 车道"),
        (
            "headway 3 min on 2 directed lines: 示例地铁1号线",
            "示例地铁1号线（2 条有向线路）间隔改为 3 min",
        ),
        ("something new", "something new"),
    ],
)
def test_what_a_change_did_is_said_in_both_languages(english: str, chinese: str) -> None:
    assert remark(english) == Both(english, chinese)


def test_meanings_and_sources_of_parameters_are_chinese_too() -> None:
    """All but a few that are new."""
    said = {
        words
        for params in (DemandParams, TransitParams)
        for item in dataclasses.fields(params)
        for words in (item.metadata["meaning"], *item.metadata["source"].split("; "))
    } - {"assumed"}
    known = [words for words in said if words in sentences()]
    assert len(known) > 0.95 * len(said), said - set(known)
    for words, chinese in sentences().items():
        assert re.search("[一-鿿、（]", chinese), words


def test_codes_in_sentences_are_words() -> None:
    told = remark(
        "road density of central from 5.85 to 7.00 km/km2 by cn-urban: 2889 blocks halved by 936 "
        "km of generated tertiary streets"
    )
    assert "tertiary" in told.en
    assert "tertiary" not in told.zh
    assert "central" not in told.zh
