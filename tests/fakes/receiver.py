"""The receiver of a `webhook` agent as its documentation (`services/dispatcher/adapters/README.md`) asks it to be.

- It takes only what is signed with the secret that both know, over the raw bytes and not long ago.
- It starts one run per `Idempotency-Key`, and answers 409 where it has the job already.
"""

from __future__ import annotations

from typing import Any

from libs.webhooks.signatures import is_ours
from tests.fakes.serving import Asked, Clock, Fake, Reply

SECRET = "shared-by-both"


class FakeReceiver(Fake):
    """Starts runs.

    Attributes:
        runs: the ids of jobs that were started, in order.
        stopped: those that were to be stopped.
        answer: what a job is answered with.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.runs: list[str] = []
        self.stopped: list[str] = []
        self.answer: Any = None
        self._keys: set[str] = set()

    def handle(self, asked: Asked) -> Reply:
        if not is_ours(asked.body, asked.headers.get("x-signalbox-signature"), SECRET, self.clock()):
            return Reply(401, {"error": "the signature is wrong"})
        key = asked.headers["idempotency-key"]
        if asked.headers["x-signalbox-event"] == "cancel":
            job_id = asked.json["jobId"]
            if job_id not in self.runs:
                return Reply(404, {"message": "no such run"})
            self.stopped.append(job_id)
            return Reply(202, {"message": "it is being stopped"})
        if key in self._keys:
            return Reply(409, self.answer)
        self._keys.add(key)
        self.runs.append(key)
        return Reply(202, self.answer)
