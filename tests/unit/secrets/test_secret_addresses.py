"""A password in clear inside of an address is no more to be recorded than one in a field of its own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.secrets.addresses import in_clear, with_clear_password, without_user_info
from libs.secrets.fields import SecretFields
from libs.secrets.memory_keys import MemoryKeys
from libs.secrets.problem import SecretProblem
from libs.secrets.references import MASK
from libs.secrets.sources import Sources
from libs.secrets.vault import Vault
from tests.unit.secrets.secret_scenes import HERE, MASTER

FIELDS = SecretFields()


@pytest.mark.parametrize(
    "text",
    [
        "https://ann:s3cret@argo.example",
        "postgres://ann:s3cret@db.example:5432/shop?sslmode=require",
        "redis://:s3cret@cache.example",
        "https://ann:s3cret@[::1]:8080/",
        "HTTPS://Ann:S3cret@argo.example",
        "https://ann:s3%40cret@argo.example",
        "https://ann:s3'cret@argo.example",
        # Not written as it should be, and read all the same by some.
        "https://ann:s3/cr?e#t@argo.example",
        "https://ann:s3@cret@argo.example",
        "repoURL: https://ann:s3cret@git.example/app.git\npath: .",
        '{"url":"https://ann:s3cret@git.example","n":1}',
        "https://{{ .resource.name }}:s3cret@{{.resource.config.host}}/",
        "https://ann:s3cret@{{ .resource.config.host }}/",
        "https://${secret:env:USER}:s3cret@argo.example",
        "https://ann:s3cret@${secret:env:HOST}",
        "https://ann:s3cret{{@argo.example",
        "https://ann:$(PREFIX)s3cret@argo.example",
        "https://ann:$s3cret/@argo.example",
        "https://a.example https://{{.x}}:{{.y}}@b.example https://ann:s3cret@c.example",
    ],
)
def test_a_password_in_an_address_stands_in_clear(text: str) -> None:
    assert with_clear_password(text)
    assert "s3" not in without_user_info(text).lower()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "https://argo.example:8443/a?b=c@d#e:f@g",
        "https://argo.example:8443",
        "https://ann@argo.example",
        "https://ann:@argo.example",
        "https://ann:{{ .variables.password }}@argo.example",
        "https://{{.variables.user}}:{{.variables.password}}@{{.resource.config.host}}",
        "https://ann:${secret:env:PASSWORD}@argo.example",
        "https://ann:prefix-${secret:file:PASSWORD}@argo.example",
        "https://${secret:env:TOKEN}@argo.example",
        "https://{{ .resource.config.host }}:{{ .resource.config.port }}/@scope/package",
        "https://npm.example:8443/@scope/package",
        "https://npm.example:$(PORT)/@scope/package",
        '{"url":"http://svc:${PORT}/","mail":"me@shop.example"}',
        "https://[::1]:8080/@scope",
        "https://a.example:80, https://b.example:81 and c@d.example",
        '["http://a.example:80","me@b.example"]',
        "['http://a.example:80','me@b.example']",
        "uses: docker://alpine:3.19@sha256:0123",
        "ssh://git@git.example:7999/app.git",
        "git@git.example:org/app.git",
        "ann:s3cret@argo.example",
        # What takes it from elsewhere names it so.
        "postgres://$(DB_USER):$(DB_PASSWORD)@db/shop",
        "postgres://${DB_USER}:${DB_PASSWORD}@db/shop",
        "postgres://$DB_USER:$DB_PASSWORD@db/shop",
        "https://<user>:<password>@argo.example",
        f"https://ann:{MASK}@argo.example",
    ],
)
def test_what_is_no_password_in_clear(text: str) -> None:
    assert not with_clear_password(text)


def test_where_it_stands_is_told() -> None:
    config: dict[str, Any] = {"a": 1, "list": [{"url": "x"}, {"url": "https://ann:s3cret@argo.example"}], "b": "https://u:p@h"}
    assert list(in_clear(config)) == [("list", 1, "url"), ("b",)]


@pytest.mark.parametrize(
    "name,expected",
    [
        ("serverUrl", True),
        ("address", True),
        ("SERVER_HOST", True),
        ("site", True),
        ("note", False),
        ("image", False),
        ("urls", False),
    ],
)
def test_an_address_may_do_without_its_scheme_where_one_is_wanted(name: str, expected: bool) -> None:
    assert list(in_clear({name: "ann:s3cret@argo.example"})) == ([(name,)] if expected else [])


def test_a_field_that_is_called_an_address_may_hold_something_else() -> None:
    for text in (
        "argo.example:8080",
        "mailto:ann@example.com",
        "ann@example.com",
        "git@git.example:org/app.git",
        "a note: see me@example.com",
    ):
        assert list(in_clear({"url": text})) == [], text


@given(st.text(max_size=40), st.text("ab:/@{}$?# \n'\"", max_size=30))
def test_any_text_is_looked_through(before: str, after: str) -> None:
    with_clear_password(f"{before}://{after}")
    assert with_clear_password(f"{before} https://ann:s3cret@argo.example {after}")


def test_a_long_text_is_looked_through_in_no_time() -> None:
    for text in (
        "a://" * 50_000,
        "a://b:" * 50_000,
        "a://b:{{" * 50_000,
        "://:" + "x" * 200_000,
        "a" * 200_000,
        "${secret:" * 50_000,
    ):
        assert not with_clear_password(text)
        without_user_info(text)


# --- the vault --------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def vault() -> Vault:
    return Vault(Sources({}, None), MemoryKeys(MASTER))


@pytest.mark.parametrize(
    "config,path",
    [
        ({"serverUrl": "https://ann:s3cret@argo.example"}, ("serverUrl",)),
        ({"serverUrl": "ann:s3cret@argo.example"}, ("serverUrl",)),
        ({"sources": ["https://a.example", {"repo": "https://ann:s3cret@git.example"}]}, ("sources", 1, "repo")),
        # A text that holds a reference is not sealed as a whole.
        ({"dsn": "postgres://ann:s3cret@${secret:env:HOST}/shop"}, ("dsn",)),
    ],
)
async def test_what_would_be_recorded_with_a_password_in_clear_is_refused(vault: Vault, config: Any, path: Any) -> None:
    with pytest.raises(SecretProblem) as problem:
        await vault.sealed(HERE, config, FIELDS)
    assert (problem.value.code, problem.value.path) == ("in_clear", path)
    assert "${secret:env:NAME}" in problem.value.message
    assert "s3cret" not in str(problem.value)


async def test_without_a_key_it_is_refused_as_well() -> None:
    with pytest.raises(SecretProblem, match="serverUrl: "):
        await Vault(Sources({}, None), None).sealed(HERE, {"serverUrl": "https://ann:s3cret@argo.example"}, FIELDS)


async def test_a_field_that_is_sealed_anyway_may_hold_it(vault: Vault) -> None:
    kept = await vault.sealed(HERE, {"dsn": "postgres://ann:s3cret@db.example/shop", "n": 1}, FIELDS)
    assert (await vault.opened(HERE, kept)).config["dsn"] == "postgres://ann:s3cret@db.example/shop"
    # What is recorded is taken again.
    assert await vault.sealed(HERE, kept, FIELDS) == kept
