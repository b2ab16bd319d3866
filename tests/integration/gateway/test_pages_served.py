"""The dashboard as it is served: its files, the page with what it shows first, and what is no page."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from libs.eventlog.port import LogUnavailable
from services.gateway.http.app import create_app
from services.gateway.http.files import Folder, codings_of
from services.gateway.http.pages import as_data
from tests.integration.gateway.gateway_house import KEY, House, another_user, house

INDEX = """\
<!doctype html>
<html lang="en" data-theme="auto">
  <head>
    <title>Signalbox</title>
    <script type="application/json" id="boot">null</script>
    <script type="module" src="/assets/a-1.js"></script>
  </head>
  <body></body>
</html>
"""
PAGES = """[
  {"path": "/signin", "scripts": ["/assets/signin-1.js"], "styles": []},
  {"path": "/w/:w/jobs", "scripts": ["/assets/jobs-1.js", "/assets/list-1.js"], "styles": ["/assets/jobs-1.css"]},
  {"path": "/w/:w/r/:identifier", "scripts": ["/assets/resource-1.js"], "styles": []}
]"""
HTML = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder with what a build left."""
    folder = tmp_path / "static"
    script = b"export const a = 1\n" * 100
    files = {
        "index.html": INDEX.encode(),
        "assets/a-1.js": script,
        "assets/a-1.js.gz": gzip.compress(script),
        "assets/a-1.js.br": b"as brotli has it",
        "assets/font-1.woff2": b"a font",
        "favicon.svg": b"<svg/>",
        ".vite/manifest.json": b"{}",
        ".vite/pages.json": PAGES.encode(),
        ".stamp.json": b"{}",
        "assets/notes.md": b"not served",
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
async def one() -> AsyncIterator[House]:
    async with house() as running:
        yield running


@pytest.fixture
async def client(one: House, made: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A browser at a gateway with these files."""
    transport = httpx.ASGITransport(app=create_app(one.deps, Folder(made)))
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=HTML) as browser:
        yield browser


async def sign_in(client: httpx.AsyncClient, key: str = KEY) -> None:
    assert (await client.post("/api/session", json={"apiKey": key})).status_code == 200


def boot_of(page: httpx.Response) -> Any:
    found = re.search(r'<script type="application/json" id="boot">(.*?)</script>', page.text, re.DOTALL)
    assert found is not None
    return json.loads(found[1])


# --- files -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "accepted,coding",
    [
        ("gzip, deflate, br, zstd", "br"),
        ("br;q=1.0, gzip;q=0.5", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br;q=0.0, gzip; q=0", None),
        ("identity", None),
        ("", None),
    ],
)
async def test_a_file_is_sent_in_the_smallest_form_that_is_taken(
    client: httpx.AsyncClient, made: Path, accepted: str, coding: str | None
) -> None:
    async with client.stream("GET", "/assets/a-1.js", headers={"Accept-Encoding": accepted}) as answer:
        sent = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers.get("content-encoding") == coding
    assert sent == (made / f"assets/a-1.js{ {'br': '.br', 'gzip': '.gz'}.get(coding or '', '') }").read_bytes()
    assert answer.headers["content-length"] == str(len(sent))
    assert answer.headers["vary"] == "Accept-Encoding"


async def test_a_file_with_a_name_of_its_own_is_kept_for_ever_and_any_other_asked_for_again(client: httpx.AsyncClient) -> None:
    asset = await client.get("/assets/font-1.woff2")
    assert (asset.headers["cache-control"], asset.headers["content-type"]) == (
        "public, max-age=31536000, immutable",
        "font/woff2",
    )
    icon = await client.get("/favicon.svg")
    assert (icon.headers["cache-control"], icon.headers["content-type"]) == ("no-cache", "image/svg+xml")
    again = await client.get("/favicon.svg", headers={"If-None-Match": f'"x", {icon.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", icon.headers["etag"])


@pytest.mark.parametrize(
    "path", ["/assets/gone-1.js", "/assets/notes.md", "/assets/%2e%2e/index.html", "/assets/a-1.js.br", "/assets/"]
)
async def test_a_file_that_is_not_there_is_never_the_page(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(httpx.URL("http://test").copy_with(raw_path=path.encode()))
    assert (answer.status_code, answer.headers["cache-control"]) == (404, "no-store")
    assert "<html" not in answer.text


@pytest.mark.parametrize("path", ["/.vite/manifest.json", "/.stamp.json", "/index.html"])
async def test_what_the_build_left_for_itself_is_not_served(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path, headers={"Accept": "*/*"})).status_code == 404


@pytest.mark.parametrize("path", ["/", "/w/default", "/assets/a-1.js", "/favicon.svg", "/assets/gone.js"])
async def test_everything_comes_with_the_policy(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert (policy["default-src"], policy["script-src"], policy["style-src"]) == ("'none'", "'self'", "'self'")
    assert (policy["frame-ancestors"], policy["base-uri"]) == ("'none'", "'none'")
    assert {name: answer.headers[name] for name in ALWAYS} == ALWAYS


# --- the page --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/signin", "/w/default", "/w/default/r/a%2Fb%3Fc", "/nonsense/of/any/kind"])
async def test_every_address_that_a_browser_goes_to_is_the_page(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert boot_of(answer) == {"version": "dev", "session": None, "workspace": None, "position": None, "board": None}


@pytest.mark.parametrize("path", ["/api", "/api/nothing", "/api/v1/nothing", "/nothing"])
async def test_what_is_asked_by_programs_is_answered_as_before(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, headers={"Accept": "*/*"})
    assert (answer.status_code, answer.json()["message"]) == (404, "not found")
    assert (await client.get("/api/v1/nothing")).json()["message"] == "not found"
    assert (await client.post("/w/default")).status_code == 404


async def test_the_page_is_sent_again_only_when_something_in_it_changed(client: httpx.AsyncClient) -> None:
    first = await client.get("/w/default")
    assert (first.headers["cache-control"], first.headers["vary"]) == ("private, no-cache", "Accept-Encoding, Cookie")
    known = {"If-None-Match": first.headers["etag"]}
    assert (await client.get("/w/default", headers=known)).status_code == 304
    await sign_in(client)
    changed = await client.get("/w/default", headers=known)
    assert changed.status_code == 200
    assert (await client.get("/w/default", headers={"If-None-Match": changed.headers["etag"]})).status_code == 304


async def test_a_head_is_the_answer_without_its_content(client: httpx.AsyncClient) -> None:
    for path in ("/w/default", "/assets/a-1.js"):
        whole, head = await client.get(path), await client.head(path)
        assert (head.status_code, head.content, head.headers) == (200, b"", whole.headers)


async def test_a_large_page_is_compressed(one: House, client: httpx.AsyncClient) -> None:
    for number in range(20):
        await one.call("POST", "/api/v1/workspaces", {"name": f"number {number}", "slug": f"number-{number}"}, want=201)
    await sign_in(client)
    answer = await client.get("/w/default", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) < len(answer.content)
    plain = await client.get("/w/default", headers={"Accept-Encoding": "identity"})
    assert plain.content == answer.content


@pytest.mark.parametrize("told,shown", [("dark", "dark"), ("light", "light"), ("auto", "auto"), ('"><script>', "auto")])
async def test_the_theme_that_somebody_chose_is_there_from_the_first_byte(
    client: httpx.AsyncClient, told: str, shown: str
) -> None:
    answer = await client.get("/", headers={"Cookie": f"signalbox_theme={quote(told)}"})
    assert f'<html lang="en" data-theme="{shown}">' in answer.text


# --- what it shows first ---------------------------------------------------------------------------------------------------------------


async def test_who_signed_in_finds_session_workspace_and_position_in_the_page(one: House, client: httpx.AsyncClient) -> None:
    await sign_in(client)
    await one.call("POST", "/systems", {"name": "shop"}, want=202)
    boot = boot_of(await client.get("/w/default/approvals"))
    assert boot["session"] == (await client.get("/api/session")).json()
    assert boot["workspace"] == {"id": one.workspace_id, "name": "Default", "slug": "default"}
    assert boot["position"] == await one.deps.log.head(one.workspace_id) > 0


async def test_the_first_page_of_a_workspace_comes_with_its_board(one: House, client: httpx.AsyncClient) -> None:
    await sign_in(client)
    await one.call("POST", "/environments", {"name": "staging", "resourceSelector": "true"}, want=202)
    boot = boot_of(await client.get("/w/default"))
    assert boot["board"] == await one.call("GET", "/board", want=200)
    assert boot["position"] == boot["board"]["position"]
    # Another moment is not this one.
    assert boot_of(await client.get("/w/default?at=1"))["board"] is None


async def test_a_workspace_of_others_is_not_told_of(one: House, client: httpx.AsyncClient) -> None:
    await sign_in(client, await another_user(one))
    boot = boot_of(await client.get("/w/default"))
    assert (boot["session"]["workspaces"], boot["workspace"], boot["position"]) == ([], None, None)


async def test_a_session_that_is_over_is_none(client: httpx.AsyncClient) -> None:
    client.cookies.set("signalbox_session", "0123456789abcdef.1.AAAAAAAAAAAAAAAAAAAAAA." + "A" * 43)
    assert boot_of(await client.get("/w/default"))["session"] is None


async def test_while_the_log_can_not_be_read_the_page_has_to_ask(
    one: House, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await sign_in(client)

    async def away(workspace_id: str) -> int:
        raise LogUnavailable("the database is away")

    monkeypatch.setattr(one.deps.log, "head", away)
    answer = await client.get("/w/default")
    assert (answer.status_code, boot_of(answer)) == (200, None)


async def test_no_name_ends_the_block_of_data(one: House, client: httpx.AsyncClient) -> None:
    name = "</script><!--\u2028&"
    await one.call("PATCH", "", {"name": name}, want=200)
    await sign_in(client)
    answer = await client.get("/w/default")
    assert answer.text.count("</script>") == INDEX.count("</script>")
    assert boot_of(answer)["workspace"]["name"] == name


def test_escaped_json_means_the_same() -> None:
    value = {"a": "<script>&\u2028\u2029</script> <!-- \\u003c"}
    text = as_data(json.dumps(value, ensure_ascii=False))
    assert json.loads(text) == value
    assert not set("<>&\u2028\u2029") & set(text)


# --- being made ------------------------------------------------------------------------------------------------------------------------


async def test_without_files_the_page_says_how_to_make_them(one: House, tmp_path: Path) -> None:
    transport = httpx.ASGITransport(app=create_app(one.deps, Folder(tmp_path / "nothing")))
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=HTML) as client:
        answer = await client.get("/")
        assert (answer.status_code, "python -m infra.ui" in answer.text) == (503, True)
        assert (await client.get("/api/healthz")).status_code == 200


async def test_files_that_were_made_anew_are_served_without_a_restart(client: httpx.AsyncClient, made: Path) -> None:
    assert "a-1.js" in (await client.get("/")).text
    (made / "assets/a-1.js").unlink()
    (made / "assets/a-2.js").write_text("2")
    (made / "index.html").write_text(INDEX.replace("a-1", "a-2"))
    later = (made / "index.html").stat().st_mtime_ns + 1_000_000
    os.utime(made / "index.html", ns=(later, later))
    assert "a-2.js" in (await client.get("/")).text
    assert (await client.get("/assets/a-2.js")).text == "2"
    # A page that was opened before may ask for a part of itself only now.
    assert (await client.get("/assets/a-1.js")).status_code == 200


async def test_while_files_are_being_made_those_before_are_served(client: httpx.AsyncClient, made: Path) -> None:
    await client.get("/")
    shutil.rmtree(made)
    assert "a-1.js" in (await client.get("/")).text
    assert (await client.get("/assets/a-1.js")).status_code == 200


def test_codings_are_read_as_browsers_write_them() -> None:
    assert codings_of("gzip, br ; q=0.8, deflate;q=0") == {"gzip", "br"}


# --- what a page needs beyond the rest ---------------------------------------------------------------------------------------------------


def named(page: httpx.Response) -> list[str]:
    """The files that the head names for this page, beyond the one that every page has."""
    head = page.text.partition("</head>")[0]
    return re.findall(r'<link rel="(?:modulepreload|stylesheet)" crossorigin href="([^"]+)">', head)


@pytest.mark.parametrize(
    "path,expected",
    [
        ("/w/anything/jobs", ["/assets/jobs-1.js", "/assets/list-1.js", "/assets/jobs-1.css"]),
        ("/w/anything/jobs/?q=x", ["/assets/jobs-1.js", "/assets/list-1.js", "/assets/jobs-1.css"]),
        ("/w/anything/r/cluster%2Fprod", ["/assets/resource-1.js"]),
        ("/signin", ["/assets/signin-1.js"]),
        ("/w/anything", []),
        ("/w/anything/jobs/more", []),
        ("/w/anything/r/%ff", ["/assets/resource-1.js"]),
    ],
)
async def test_a_page_names_its_files_so_that_they_come_beside_those_of_every_page(
    client: httpx.AsyncClient, path: str, expected: list[str]
) -> None:
    assert named(await client.get(path)) == expected


async def test_files_that_name_nothing_are_served_all_the_same(one: House, made: Path) -> None:
    (made / ".vite/pages.json").unlink()
    transport = httpx.ASGITransport(app=create_app(one.deps, Folder(made)))
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=HTML) as browser:
        page = await browser.get("/w/anything/jobs")
    assert (page.status_code, named(page)) == (200, [])


async def test_files_that_are_being_made_are_not_taken_half(client: httpx.AsyncClient, made: Path) -> None:
    before = await client.get("/w/anything/jobs")
    (made / ".vite/pages.json").write_text('[{"path": "/w/:w', "utf-8")
    (made / ".stamp.json").write_text('{"made": "again"}', "utf-8")
    assert named(await client.get("/w/anything/jobs")) == named(before) != []
