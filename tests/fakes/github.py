"""GitHub's REST API as far as a GitHub App needs it to run workflows, and to tell pull requests of plans.

- Apps sign in by a JWT (RS256, at most ten minutes) and get tokens of an installation that end after an hour:
  https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
  https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
- A dispatched workflow is answered with 204 and no word of its run, which appears a little later; an unknown ref or input is a 422:
  https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event
- Runs are listed newest first, a hundred a page, a thousand a search; a run that has ended can not be cancelled (409):
  https://docs.github.com/en/rest/actions/workflow-runs
- A check run belongs to a commit and is changed by its id; a completed one has a conclusion; its summary has at most 65,535 characters:
  https://docs.github.com/en/rest/checks/runs
- Comments of a pull request are those of the issue of its number, oldest first, and say by which App they were written:
  https://docs.github.com/en/rest/issues/comments
- The pull requests of a commit, and where an App is installed:
  https://docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit
  https://docs.github.com/en/rest/apps/apps#get-a-repository-installation-for-the-authenticated-app
"""

from __future__ import annotations

import base64
import re
from datetime import datetime, timedelta
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256

from tests.fakes.serving import Asked, Clock, Fake, Reply

APP, INSTALLATION, WORKFLOW, ORGANIZATION = "1234", 77, 42, 900
REPO = "/repos/acme/shop"


def stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


class FakeGithub(Fake):
    """One organization with one repository and one workflow, whose `run-name` holds the input `job_id` unless `named` is False.

    Attributes:
        public_key: of the App.
        lag_s: how long it takes until a new run is listed.
        runs: every run, oldest first.
        checks, comments: of the repository, oldest first.
        pulls: pull requests by the commits that belong to them.
        installed: whether the App may see the repository.
    """

    def __init__(self, public_key: RSAPublicKey, clock: Clock) -> None:
        super().__init__(clock)
        self.public_key = public_key
        self.lag_s = 0.0
        self.named = True
        self.refs = {"main", "release"}
        self.runs: list[dict[str, Any]] = []
        self.checks: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []
        self.pulls: dict[str, list[dict[str, Any]]] = {}
        self.installed = True
        self._tokens: dict[str, datetime] = {}

    def run(self, job_id: str, **fields: Any) -> dict[str, Any]:
        """A run that is there already."""
        number = len(self.runs) + 1
        run = {
            "id": 9_000_000_000 + number,
            "name": f"Deploy {job_id}" if self.named else "Deploy",
            "display_title": "Deploy",
            "event": "workflow_dispatch",
            "path": ".github/workflows/deploy.yml@main",
            "html_url": f"https://github.example/acme/shop/actions/runs/{9_000_000_000 + number}",
            "status": "queued",
            "conclusion": None,
            "created_at": stamp(self.clock()),
            "updated_at": stamp(self.clock()),
            **fields,
        }
        self.runs.append(run)
        return run

    def revoke(self) -> None:
        """Take all tokens back."""
        self._tokens.clear()

    def handle(self, asked: Asked) -> Reply:
        bearer = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if asked.path.startswith("/app/") or asked.path == f"{REPO}/installation":
            if not self._is_app(bearer):
                return no(401, "A JSON web token could not be decoded")
            return self._as_app(asked)
        if bearer not in self._tokens or self._tokens[bearer] <= self.clock():
            return no(401, "Bad credentials")
        match asked.method, asked.path.removeprefix(REPO):
            case "GET", "/organizations/900":
                return Reply(json={"login": "acme", "id": ORGANIZATION})
            case "POST", "/actions/workflows/42/dispatches":
                return self._dispatch(asked.json)
            case "GET", "/actions/workflows/42/runs":
                return self._list(asked.query)
        if (reply := self._pull_request(asked)) is not None:
            return reply
        found = re.fullmatch(REPO + r"/actions/runs/(\d+)(/cancel)?", asked.path)
        run = next((one for one in self._listed() if found and str(one["id"]) == found[1]), None)
        if run is None:
            return no(404, "Not Found")
        if found and found[2]:
            return self._cancel(run)
        return Reply(json=run)

    def _as_app(self, asked: Asked) -> Reply:
        if asked.method == "GET":
            return Reply(json={"id": INSTALLATION}) if self.installed else no(404, "Not Found")
        if asked.path != f"/app/installations/{INSTALLATION}/access_tokens":
            return no(404, "Not Found")
        token = f"ghs_{len(self._tokens):036}"
        self._tokens[token] = self.clock() + timedelta(hours=1)
        return Reply(201, {"token": token, "expires_at": stamp(self._tokens[token])})

    def _pull_request(self, asked: Asked) -> Reply | None:
        path = asked.path.removeprefix(REPO)
        if found := re.fullmatch("/commits/([0-9a-f]+)/(pulls|check-runs)", path):
            if found[2] == "pulls":
                return Reply(json=self.pulls.get(found[1], []))
            name = asked.query.get("check_name")
            checks = [one for one in reversed(self.checks) if one["head_sha"] == found[1] and name in (None, one["name"])]
            return Reply(json={"total_count": len(checks), "check_runs": checks[:100]})
        if path == "/check-runs":
            return self._check(asked.json, None)
        if found := re.fullmatch(r"/check-runs/(\d+)", path):
            return self._check(asked.json, int(found[1]))
        if found := re.fullmatch(r"/issues/(\d+)/comments", path):
            return self._comments(asked, int(found[1]))
        if found := re.fullmatch(r"/issues/comments/(\d+)", path):
            comment = next((one for one in self.comments if str(one["id"]) == found[1]), None)
            if comment is None:
                return no(404, "Not Found")
            comment |= {"body": asked.json["body"]}
            return Reply(json=comment)
        return None

    def _check(self, body: Any, number: int | None) -> Reply:
        if len(body["output"]["summary"]) > 65_535:
            return no(422, "Validation Failed")
        if number is None:
            if not re.fullmatch("[0-9a-f]{40}", body["head_sha"]):
                return no(422, f"No commit found for SHA: {body['head_sha']}")
            self.checks.append({"id": 5_000 + len(self.checks), "app": self._app(), "conclusion": None, **body})
            return Reply(201, self.checks[-1])
        check = next((one for one in self.checks if one["id"] == number), None)
        if check is None:
            return no(404, "Not Found")
        check |= body
        return Reply(json=check)

    def _comments(self, asked: Asked, number: int) -> Reply:
        if asked.method == "POST":
            return Reply(201, self.comment(number, asked.json["body"], self._app()))
        of = [one for one in self.comments if one["issue"] == number]
        size, page = int(asked.query.get("per_page", "30")), int(asked.query.get("page", "1"))
        return Reply(json=of[(page - 1) * size : page * size])

    def comment(self, number: int, body: str, app: dict[str, Any] | None = None) -> dict[str, Any]:
        """A comment that somebody writes; without an App it is a person."""
        comment = {"id": 7_000 + len(self.comments), "issue": number, "body": body, "performed_via_github_app": app}
        self.comments.append(comment)
        return comment

    def _app(self) -> dict[str, Any]:
        return {"id": int(APP), "client_id": "Iv1.8a61f9b3a7aba766"}

    def _is_app(self, jwt: str) -> bool:
        try:
            head, claims, signature = (base64.urlsafe_b64decode(part + "==") for part in jwt.split("."))
            self.public_key.verify(signature, jwt.rpartition(".")[0].encode(), PKCS1v15(), SHA256())
        except (ValueError, InvalidSignature):
            return False
        told, at = orjson.loads(claims), self.clock().timestamp()
        right = orjson.loads(head)["alg"] == "RS256" and told["iss"] == APP
        return bool(right and told["iat"] <= at < told["exp"] <= at + 600)

    def _dispatch(self, body: Any) -> Reply:
        if body["ref"] not in self.refs:
            return no(422, f"No ref found for: {body['ref']}")
        if set(body["inputs"]) != {"job_id"}:
            return no(422, f"Unexpected inputs provided: {sorted(body['inputs'])}")
        self.run(body["inputs"]["job_id"], head_branch=body["ref"])
        return Reply(204)

    def _listed(self) -> list[dict[str, Any]]:
        seen_before = stamp(self.clock() - timedelta(seconds=self.lag_s))
        return [run for run in reversed(self.runs) if run["created_at"] <= seen_before]

    def _list(self, query: dict[str, str]) -> Reply:
        runs = [run for run in self._listed() if run["event"] == query.get("event", run["event"])]
        if (created := query.get("created")) is not None:
            runs = [run for run in runs if run["created_at"] <= created.removeprefix("<=")]
        size, page = int(query.get("per_page", "30")), int(query.get("page", "1"))
        shown = runs[:1000][(page - 1) * size : page * size]
        return Reply(json={"total_count": len(runs), "workflow_runs": shown})

    def _cancel(self, run: dict[str, Any]) -> Reply:
        if run["status"] == "completed":
            return no(409, "Cannot cancel a workflow run that is completed.")
        run |= {"status": "completed", "conclusion": "cancelled"}
        return Reply(202, {})


def no(status: int, message: str, **headers: str) -> Reply:
    """How GitHub says no."""
    told = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
    return Reply(status, told, {name.replace("_", "-"): value for name, value in headers.items()})
