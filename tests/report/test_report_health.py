"""The health page: counts add up, names are escaped, nothing is fetched."""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cczsim.pipeline.networks import build, load_network
from cczsim.pipeline.progress import Progress
from cczsim.report.health import health_page

EVIL = "</script><script>alert(1)</script>&quot;"
EXTRACT = f"""<osm version="0.6">
<node id="1" lat="28.2" lon="112.9"/><node id="2" lat="28.2" lon="112.901"/>
<node id="3" lat="28.201" lon="112.901"/><node id="4" lat="28.201" lon="112.9"/>
<way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="primary"/></way>
<way id="2"><nd ref="2"/><nd ref="3"/><nd ref="99"/><tag k="highway" v="primary"/>
<tag k="oneway" v="yes"/><tag k="name" v="{EVIL.replace("<", "&lt;").replace(">", "&gt;")}"/></way>
<way id="3"><nd ref="3"/><nd ref="4"/><tag k="highway" v="footway"/></way>
<way id="4"><nd ref="3"/><nd ref="4"/><tag k="building" v="yes"/></way>
<relation id="9"><member type="way" ref="1" role="from"/><member type="node" ref="2" role="via"/>
<member type="way" ref="77" role="to"/><tag k="type" v="restriction"/>
<tag k="restriction" v="no_left_turn"/></relation>
</osm>"""


class Scripts(HTMLParser):
    """What stands in script elements."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "script":
            self.found.append((values.get("type") or "", ""))
        if tag != "a" and ({"src", "href"} & set(values)):
            self.fetched.append(tag)

    def handle_data(self, data: str) -> None:
        if self.cdata_elem == "script":
            kind, text = self.found[-1]
            self.found[-1] = (kind, text + data)


@pytest.fixture
def page(tmp_path: Path) -> str:
    path = tmp_path / "evil.osm"
    path.write_text(EXTRACT, encoding="utf-8")
    return health_page(load_network(path, Progress(stream=io.StringIO())))


def test_names_are_escaped_and_nothing_is_fetched(page: str) -> None:
    parser = Scripts()
    parser.feed(page)
    assert [kind for kind, _ in parser.found] == ["application/json", ""]
    assert parser.fetched == []
    assert "alert(1)</script>" not in page
    data = json.loads(parser.found[0][1])
    assert any(EVIL.split("&")[0] in suspect[2] for suspect in data["suspects"])


def test_counts_add_up(page: str) -> None:
    assert "add up to the input in every row" in page
    assert "https://www.openstreetmap.org/edit?way=2#map=19/" in page
    assert "to way is not in the extract" in page
    assert "99" not in re.findall(r"way (\d+)</a>", page)
    assert "1 ways (none of the tags" in page
    row = re.search(r"<td>all</td>(.*?)</tr>", page)
    assert row is not None
    assert re.findall(r">(\d+)<", row[1]) == ["3", "2", "1"]


@pytest.mark.data
def test_it_stands_beside_the_network(data_dir: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    extract = data_dir / "osm/helsinki-centre.osm.pbf"
    recipe.write_text(f'kind = "osm"\n[source]\nfile = "{extract}"\n', encoding="utf-8")
    out = tmp_path / "built"
    for _ in range(2):
        assert build(str(recipe), out, progress=Progress(stream=io.StringIO())) == 0
    page = (out / "network.html").read_text(encoding="utf-8")
    assert len(page) < 200_000
    network = load_network(out, Progress(stream=io.StringIO()))
    assert network.cut_off is not None
    assert network.cut_off.n_links > 0
    assert health_page(network) == page, "it is the same from the folder"
