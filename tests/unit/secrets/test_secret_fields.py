"""Which fields hold secrets."""

from __future__ import annotations

import pytest

from libs.secrets.fields import SecretFields, sounds_secret


@pytest.mark.parametrize(
    "name",
    [
        "password", "Password", "DB_PASSWORD", "token", "accessToken", "access-token", "X-Auth-Token", "secret", "clientSecret", "CLIENT_SECRET",
        "webhookSecret", "webhook secret", "apiKey", "api_key", "API-KEY", "X-Api-Key", "appKey", "DD-APPLICATION-KEY", "privateKey", "secretKey",
        "signing.key", "passphrase", "credentials", "Authorization", "authorization", "Proxy-Authorization", "Cookie", "kubeconfig", "secrets",
        "bearerToken", "dsn", "connectionString",
    ],
)  # fmt: skip
def test_names_that_say_it(name: str) -> None:
    assert sounds_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        "tokenUrl", "token_url", "secretRef", "secretName", "passwordRef", "privateKeyPath", "tokenFile", "apiKeyId", "key", "keys", "publicKey",
        "serverUrl", "template", "name", "installationId", "maxTokens", "pageToken", "nextToken", "authorizationUrl", "author", "secretary", "",
    ],
)  # fmt: skip
def test_names_that_do_not(name: str) -> None:
    assert not sounds_secret(name)


def test_named_fields_are_secret_wherever_they_are() -> None:
    fields = SecretFields.of("installation", by_name=False)
    assert fields.has(("installation",))
    assert fields.has(("a", 3, "installation"))
    assert not fields.has(("installation", "id"))
    assert not fields.has(("apiKey",))


def test_paths_are_exact_but_for_stars() -> None:
    fields = SecretFields.of("headers.*.value", "authentication.oauth2.id", by_name=False)
    assert fields.has(("headers", 0, "value"))
    assert fields.has(("headers", "x", "value"))
    assert not fields.has(("headers", "value"))
    assert not fields.has(("headers", 0, "key"))
    assert fields.has(("authentication", "oauth2", "id"))
    assert not fields.has(("oauth2", "id"))


def test_a_value_is_named_by_the_field_beside_it() -> None:
    fields = SecretFields()
    assert fields.has(("headers", 0, "value"), {"key": "Authorization", "value": "…"})
    assert fields.has(("headers", 0, "value"), {"name": "X-Api-Key", "value": "…"})
    assert not fields.has(("headers", 0, "value"), {"key": "Accept", "value": "…"})
    assert not fields.has(("headers", 0, "value"), {"key": 5, "value": "…"})
    assert not fields.has((0,))
