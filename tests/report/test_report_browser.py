"""The page in a real browser, where one is installed."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from synthetic_run import make_run

from cczsim.report.page import render

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no browser: none of chromium, chromium-browser, google-chrome on PATH"
)

# What a reader does: another language, other themes, a layer off, another view, keys on the map.
ACTS = """<script>
(async function act() {
  const root = document.documentElement;
  if (!root.dataset.ready && !root.dataset.errors) { setTimeout(act, 50); return; }
  const choose = (id, value) => {
    const control = document.getElementById(id);
    control.value = value;
    control.dispatchEvent(new Event("change"));
  };
  const before = root.lang;
  document.querySelector("[data-lang=zh]").click();
  choose("link-theme", "diff");
  choose("zone-theme", "density");
  document.querySelector("input[value=rail]").click();
  document.querySelector("[data-view=all]").click();
  document.querySelector("[data-zoom]").click();
  document.getElementById("plot-map").dispatchEvent(
    new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
  const canvases = (node) => [...node.querySelectorAll("*")].reduce((sum, item) =>
    sum + (item.tagName === "CANVAS" && item.width > 300 && item.height > 300) +
    (item.shadowRoot ? canvases(item.shadowRoot) : 0), 0);
  const inside = (node) => [...node.querySelectorAll("*")].flatMap((item) =>
    [item, ...(item.shadowRoot ? inside(item.shadowRoot) : [])]);
  const box = document.getElementById("plot-map");
  const surface = inside(box).find((item) => item.classList.contains("bk-events"));
  const place = surface.getBoundingClientRect();
  const seen = new Set();
  for (let k = 0; k < 80; k += 1) {
    const spot = { clientX: place.left + place.width * (0.25 + k / 160), pointerType: "mouse",
      clientY: place.top + place.height * ((k * 0.618) % 1), bubbles: true, composed: true,
      isPrimary: true, pointerId: 1 };
    if (k === 0) surface.dispatchEvent(new PointerEvent("pointerenter", spot));
    surface.dispatchEvent(new PointerEvent("pointermove", spot));
    await new Promise((resolve) => setTimeout(resolve, 40));
    for (const item of inside(document)) {
      const drawn = item.getRootNode() instanceof ShadowRoot && item.tagName === "DIV";
      if (drawn && item.childElementCount === 0 && item.textContent) seen.add(item.textContent);
    }
  }
  root.dataset.hover = [...seen].join(" | ");
  const map = Bokeh.documents.map((doc) => doc.get_model_by_name("streets")).find(Boolean);
  const axis = document.querySelector("h2 span[lang=zh]");
  root.dataset.before = before;
  root.dataset.canvases = canvases(document.getElementById("plot-map"));
  root.dataset.tip = map.data.t1[0];
  root.dataset.shown = getComputedStyle(axis).display;
  root.dataset.rail = map.document.get_model_by_name("layer-rail").visible;
  root.dataset.acted = "yes";
})();
</script></body>"""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return the page's DOM after a reader's acts, and what the browser logged."""
    folder = tmp_path_factory.mktemp("page")
    path = folder / "report.html"
    page = render(make_run(scenario=True), make_run(), None, "en")
    path.write_text(page.replace("</body>", ACTS), encoding="utf-8")
    return browse(path, folder)


def browse(path: Path, folder: Path) -> tuple[str, str]:
    done = subprocess.run(
        [
            str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr",
            "--v=0", "--virtual-time-budget=120000", "--window-size=1400,1000", "--dump-dom",
            path.as_uri(),
        ],
        capture_output=True, timeout=120, check=False,
    )  # fmt: skip
    return done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def attribute(dom: str, name: str) -> str | None:
    root = re.search(r"<html[^>]*>", dom)
    assert root is not None, dom[:500]
    found = re.search(rf'data-{name}="([^"]*)"', root[0])
    return found[1] if found else None


def test_the_page_draws_and_reports_no_error(opened: tuple[str, str]) -> None:
    dom, log = opened
    assert attribute(dom, "errors") is None
    assert attribute(dom, "ready") == "yes"
    assert attribute(dom, "acted") == "yes"
    assert [line for line in log.splitlines() if ":CONSOLE" in line] == []


def test_the_map_has_a_canvas(opened: tuple[str, str]) -> None:
    assert int(attribute(opened[0], "canvases") or 0) >= 1


def test_the_language_changes_in_texts_and_tooltips(opened: tuple[str, str]) -> None:
    dom, _ = opened
    assert attribute(dom, "before") == "en"
    assert re.search(r'<html[^>]* lang="zh"|<html lang="zh"', dom)
    assert attribute(dom, "shown") != "none"
    assert re.search(r"[\u4e00-\u9fff]", attribute(dom, "tip") or "")


def test_pointing_at_the_map_tells_of_streets_and_zones(opened: tuple[str, str]) -> None:
    told = attribute(opened[0], "hover") or ""
    assert re.search(r"[→↗↑↖←↙↓↘] [\d,]+ pce/小时 · v/c \d\.\d\d · \d+ km/h", told)
    assert re.search(r"[\d,]+ 居民", told)
    assert "NaN" not in told
    assert "???" not in told


def test_a_layer_can_be_hidden(opened: tuple[str, str]) -> None:
    assert attribute(opened[0], "rail") == "false"


def test_a_request_to_the_outside_would_be_blocked_and_noticed(tmp_path: Path) -> None:
    page = render(make_run(), None, None, "en")
    path = tmp_path / "report.html"
    path.write_text(
        page.replace("</body>", '<img src="https://example.invalid/x.png"></body>'),
        encoding="utf-8",
    )
    dom, log = browse(path, tmp_path)
    assert "blocked img-src" in (attribute(dom, "errors") or "")
    assert ":CONSOLE" in log


SAVES = """<script>
(async function save() {
  const root = document.documentElement;
  if (!root.dataset.ready && !root.dataset.errors) { setTimeout(save, 50); return; }
  const files = [], blobs = [];
  URL.createObjectURL = (blob) => `#${blobs.push(blob) - 1}`;
  HTMLAnchorElement.prototype.click = function () { files.push([this.download, this.hash]); };
  const buttons = [...document.querySelectorAll("[data-save]")];
  for (const button of buttons) button.click();
  while (files.length < buttons.length) await new Promise((resolve) => setTimeout(resolve, 50));
  const found = [];
  for (const [name, address] of files) {
    const bytes = new Uint8Array(await blobs[Number(address.slice(1))].arrayBuffer());
    found.push(`${name}:${bytes.length}:${String.fromCharCode(...bytes.slice(0, 4))}`);
  }
  root.dataset.saved = found.join("|");
})();
</script></body>"""


def test_every_figure_can_be_saved_as_png_and_svg(tmp_path: Path) -> None:
    page = render(make_run(scenario=True), make_run(), None, "en")
    path = tmp_path / "report.html"
    path.write_text(page.replace("</body>", SAVES), encoding="utf-8")
    dom, log = browse(path, tmp_path)
    assert [line for line in log.splitlines() if ":CONSOLE" in line] == []
    saved = [item.split(":") for item in html.unescape(attribute(dom, "saved") or "").split("|")]
    names = [name for name, _, _ in saved]
    assert "grid-plan-map.png" in names
    assert "grid-plan-map.svg" in names
    assert len(names) == 2 * len(re.findall(r'class="plot[^"]*" id="plot-', page))
    for name, size, head in saved:
        assert int(size) > 500, name
        assert head.endswith("PNG") if name.endswith("png") else head.startswith("<svg"), name


HOSTILE = (
    "'); DROP TABLE links; --<script>alert(1)</script>"
    "<img src=x onerror=alert(1)></script><svg onload=alert(1)>"
)


def test_names_from_outside_are_shown_and_never_run(tmp_path: Path) -> None:
    made = make_run(scenario=True, hostile=HOSTILE)
    page = render(replace(made, title=HOSTILE, name="plan"), make_run(), None, "en")
    trap = (
        "<head><script>for (const name of ['alert', 'confirm', 'prompt'])"
        " window[name] = () => { document.documentElement.dataset.ran = 'yes'; };</script>"
    )
    assert page.count("<head>") == 1
    path = tmp_path / "report.html"
    path.write_text(page.replace("<head>", trap).replace("</body>", ACTS), encoding="utf-8")
    dom, log = browse(path, tmp_path)
    assert attribute(dom, "acted") == "yes"
    assert attribute(dom, "ran") is None
    assert [line for line in log.splitlines() if ":CONSOLE" in line] == []
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", dom, re.S)
    assert heading is not None
    shown = html.unescape(re.sub(r"<[^>]+>", "", heading[1]))
    assert "'); DROP TABLE links; --<script>alert(1)</script>" in shown
    told = html.unescape(attribute(dom, "hover") or "")
    assert "DROP TABLE links" in told
