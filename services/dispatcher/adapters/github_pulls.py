"""Pull requests, their comments, and the check runs of commits, as an installation of a GitHub App sees and writes them.

Everything that is made is looked for before: an answer that was lost, or a process that died, leaves no second one behind.

https://docs.github.com/en/rest/checks/runs
https://docs.github.com/en/rest/issues/comments
https://docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

from libs.outbound.answer import Answer
from libs.outbound.failures import NotJson
from services.dispatcher.adapters.github_api import AppKey, GithubApi, Installation
from services.dispatcher.adapters.outcome import Held, Rejected

PAGE: Final = 100
MAX_PAGES: Final = 20
"""Of comments: two thousand of them are looked through."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository, and the App's installation in it."""

    installation: Installation
    owner: str
    name: str

    @property
    def path(self) -> str:
        """Where it is in the API."""
        return f"/repos/{self.owner}/{self.name}"


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of ours."""

    id: str
    body: str


class Pulls:
    """Calls of GitHub; all raise Held, Rejected and KeyUnusable."""

    def __init__(self, api: GithubApi) -> None:
        self._api = api

    async def repository(self, app: AppKey, owner: str, name: str) -> Repository:
        """A repository that the App is installed in; `Rejected` with 404 where it is not."""
        return Repository(await self._api.installation_of(app, owner, name), owner, name)

    async def pull_request(self, repository: Repository, sha: str) -> int | None:
        """The newest open pull request that a commit belongs to."""
        found = await self._get(repository, f"/commits/{quote(sha, safe='')}/pulls", per_page=PAGE)
        numbers = [one["number"] for one in found if one.get("state") == "open"]
        return max(numbers, default=None)

    async def own_comment(self, repository: Repository, pull_request: int, mark: str) -> Comment | None:
        """The App's comment that begins with a mark; anybody may write one like it."""
        for page in range(1, MAX_PAGES + 1):
            found = await self._get(repository, f"/issues/{pull_request}/comments", per_page=PAGE, page=page)
            for one in found:
                if str(one.get("body")).startswith(mark) and _is_by(one.get("performed_via_github_app"), repository):
                    return Comment(str(one["id"]), one["body"])
            if len(found) < PAGE:
                return None
        return None

    async def comment(self, repository: Repository, pull_request: int, body: str, comment_id: str | None) -> str:
        """Write a comment, or write it anew; its id. One that somebody deleted is written once more."""
        if comment_id is not None:
            try:
                await self._write(repository, "PATCH", f"/issues/comments/{comment_id}", {"body": body})
            except Rejected as no:
                if no.status != 404:
                    raise
            else:
                return comment_id
        return await self._write(repository, "POST", f"/issues/{pull_request}/comments", {"body": body})

    async def own_check(self, repository: Repository, sha: str, name: str, external_id: str) -> str | None:
        """The check run of a commit that we call so."""
        path = f"/commits/{quote(sha, safe='')}/check-runs"
        found = await self._get(repository, path, check_name=name, filter="all", per_page=PAGE)
        return next((str(one["id"]) for one in found if one.get("external_id") == external_id), None)

    async def check(self, repository: Repository, body: dict[str, Any], check_id: str | None) -> str:
        """Make a check run, or change one; its id."""
        if check_id is None:
            return await self._write(repository, "POST", "/check-runs", body)
        return await self._write(repository, "PATCH", f"/check-runs/{check_id}", body)

    async def _get(self, repository: Repository, path: str, **query: str | int) -> list[dict[str, Any]]:
        answer = await self._api.call(repository.installation, "GET", f"{repository.path}{path}?{urlencode(query)}")
        told = _json(answer)
        found = told.get("check_runs") if isinstance(told, dict) else told
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise Held(f"GitHub gave no list of {path.rsplit('/', 1)[1]}.")
        return found

    async def _write(self, repository: Repository, method: str, path: str, body: dict[str, Any]) -> str:
        told = _json(await self._api.call(repository.installation, method, f"{repository.path}{path}", json=body))
        if not isinstance(told, dict) or "id" not in told:
            raise Held(f"GitHub did not say what it made at {path}.")
        return str(told["id"])


def _json(answer: Answer) -> Any:
    try:
        return answer.json()
    except NotJson as error:
        raise Held(f"GitHub gave no answer that can be read: {error}.") from None


def _is_by(app: Any, repository: Repository) -> bool:
    """Whether something was written by the App; it may know itself by its number or by its client id."""
    own = repository.installation.app.app_id
    return isinstance(app, dict) and own in (str(app.get("id")), app.get("client_id"))
