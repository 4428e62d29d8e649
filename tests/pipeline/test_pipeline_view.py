"""The server of results: this machine only, one folder only, and it ends when asked to."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cczsim.cli import main
from cczsim.pipeline.view import make_server, pages_of

NAME = "方案 <script>alert(1)</script>"


def result(folder: Path, page: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"cczsim": "0"}), encoding="utf-8")
    (folder / "report.html").write_text(page, encoding="utf-8")
    return folder


@pytest.fixture
def results(tmp_path: Path) -> Path:
    out = tmp_path / "results"
    result(out / "base", "<p>base")
    result(out / NAME.replace("/", ":"), "<p>方案")
    (out / ".checkpoints").mkdir()
    (out / ".checkpoints/report.html").write_text("hidden")
    (out / "notes.py").write_text("secret")
    (tmp_path / "report.html").write_text("outside")
    (out / "base/link.html").symlink_to(tmp_path / "report.html")
    return out


@pytest.fixture
def port(results: Path) -> Iterator[int]:
    with make_server(results, pages_of(results), 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def ask(
    port: int, path: str, method: str = "GET", host: str | None = None
) -> tuple[int, dict[str, str], str]:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        link.putrequest(method, path, skip_host=True)
        link.putheader("Host", host or f"127.0.0.1:{port}")
        link.endheaders()
        answer = link.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read().decode("utf-8", "replace")
    finally:
        link.close()


def test_a_page_comes_with_safe_headers(port: int) -> None:
    status, headers, body = ask(port, "/base/report.html")
    assert (status, body) == (200, "<p>base")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert ask(port, "/base/report.html", "HEAD")[2] == ""


def test_names_are_escaped_and_lead_to_their_pages(port: int) -> None:
    status, _, body = ask(port, "/")
    assert status == 200
    assert "<script>" not in body
    links = re.findall(r'href="([^"]+)"', body)
    assert [ask(port, link)[0] for link in links] == [200, 200]


@pytest.mark.parametrize(
    "path",
    [
        "/../report.html", "/%2e%2e/report.html", "/base/../../report.html", "//etc/passwd",
        "/etc/passwd", "/base/link.html", "/base", "/base/", "/notes.py", "/base/%00",
        "/.checkpoints/report.html", "/base/none.html", "/" + "a" * 5000,
    ],
)  # fmt: skip
def test_nothing_else_is_served(port: int, path: str) -> None:
    status, _, body = ask(port, path)
    assert status == 404
    assert "outside" not in body
    assert "hidden" not in body


def test_rankings_and_networks_are_shown_too(results: Path) -> None:
    (results / "rank").mkdir()
    (results / "rank/rank.html").write_text("<p>rank")
    (results / "built").mkdir()
    (results / "built/network.html").write_text("<p>built")
    assert set(pages_of(results)) == {"base", "built", "rank", NAME.replace("/", ":")}
    assert pages_of(results / "rank") == {"rank": results / "rank/rank.html"}


def test_other_hosts_and_methods_are_refused(port: int) -> None:
    assert ask(port, "/base/report.html", host="evil.example")[0] == 403
    assert ask(port, "/base/report.html", "POST")[0] == 501
    assert ask(port, "/base/report.html", host=f"localhost:{port}")[0] == 200


def test_the_server_is_on_this_machine_only(results: Path) -> None:
    with make_server(results, pages_of(results), 0) as server:
        assert server.server_address[0] == "127.0.0.1"


def test_a_key_press_ends_it(results: Path) -> None:
    code = "import sys; from cczsim.cli import main; sys.exit(main())"
    run = subprocess.Popen(
        [sys.executable, "-c", code, "view", str(results / "base"), "--no-browser"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert run.stdout is not None
    said = run.stdout.readline()
    found = re.match(r"http://127\.0\.0\.1:(\d+)/ shows base", said)
    assert found, said
    status, headers, _ = ask(int(found[1]), "/")
    assert (status, headers["Location"]) == (302, "/report.html")
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=20)
    assert (run.returncode, out, err) == (0, "ended\n", "")


def test_wrong_folders_and_ports_are_told(
    tmp_path: Path, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["view", str(tmp_path / "none")]) == 2
    (tmp_path / "empty").mkdir()
    assert main(["view", str(tmp_path / "empty")]) == 2
    with make_server(results, pages_of(results), 0) as server:
        assert main(["view", str(results), "--port", str(server.server_port)]) == 2
    said = capsys.readouterr().err
    assert "no such folder" in said
    assert "no report.html" in said
    assert "--port" in said
