"""An OAuth2 token server, and a door in front of a real server that opens to its tokens alone.

After RFC 6749 (4.4 client credentials, 5.1 and 5.2 its answers) and RFC 6750 (bearer tokens):

- Tokens are asked for by a form with `grant_type=client_credentials`; `client_id` and `client_secret` may stand in the form (2.3.1); `scope` is
  a list separated by spaces.
- A token is answered with `access_token`, `token_type`, and, as it is only recommended, perhaps `expires_in`; nobody may store it.
- A client that is not known is answered 401 `invalid_client`, a scope that it may not have 400 `invalid_scope`.
- The door answers 401 with `WWW-Authenticate: Bearer` to any token that it does not know, or knows no more.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any
from urllib.parse import parse_qs, urlencode

from tests.fakes.serving import Asked, Clock, Fake, Reply

CLIENT, SECRET = "verifier", "s3cret+of/verifier"
UNSTORED = {"Cache-Control": "no-store"}


class TokenServer(Fake):
    """Gives tokens `token-1`, `token-2` …

    Attributes:
        good: tokens that the door takes.
        life_s: what is said of a token's life; None says nothing.
        scopes: what the client may ask for.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.good: set[str] = set()
        self.life_s: Any = 3600
        self.scopes = {"metrics", "alerts"}
        self.given = 0

    @property
    def token_url(self) -> str:
        return f"{self.url}/token"

    def handle(self, asked: Asked) -> Reply:
        assert (str(asked), asked.headers["content-type"]) == ("POST /token", "application/x-www-form-urlencoded")
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        if form.get("grant_type") != "client_credentials":
            return Reply(400, {"error": "unsupported_grant_type"}, UNSTORED)
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            told = {"error": "invalid_client", "error_description": f"no client has the secret {form.get('client_secret')}"}
            return Reply(401, told, UNSTORED)
        if not set(form.get("scope", "").split()) <= self.scopes:
            return Reply(400, {"error": "invalid_scope"}, UNSTORED)
        self.given += 1
        token = f"token-{self.given}"
        self.good.add(token)
        life = {} if self.life_s is None else {"expires_in": self.life_s}
        return Reply(200, {"access_token": token, "token_type": "Bearer", **life}, UNSTORED)


class Door(Fake):
    """Hands on what comes with a token that is good.

    Args:
        behind: address of the server behind it; without one the door answers for it, with one sample and what it was sent.
        good: the tokens.
    """

    def __init__(self, clock: Clock, good: set[str], behind: str = "") -> None:
        super().__init__(clock)
        self.good = good
        self._behind = behind

    def handle(self, asked: Asked) -> Reply:
        sent = asked.headers.get("authorization", "")
        if sent.removeprefix("Bearer ") not in self.good:
            return Reply(401, {"error": "invalid_token"}, {"WWW-Authenticate": "Bearer"})
        if not self._behind:
            sample = {"metric": {"sent": sent}, "value": [1, "1"]}
            return Reply(200, {"status": "success", "data": {"resultType": "vector", "result": [sample]}})
        try:
            with urllib.request.urlopen(f"{self._behind}{asked.path}?{urlencode(asked.query)}", timeout=30) as answer:
                return Reply(answer.status, body=answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Reply(error.code, body=error.read())
