"""From an Application that was put to what is said of its health: agent, verifier and the call that measures, with a sealed token."""

from __future__ import annotations

from typing import Any

import pytest

from libs.runtime.service import Intent, NotYet
from libs.secrets.fields import SecretFields
from libs.secrets.keys import MasterKey
from libs.secrets.memory_keys import MemoryKeys
from libs.secrets.sources import Sources
from libs.secrets.vault import Vault
from libs.simulation.world import START, WORKSPACE
from services.dispatcher.adapters.argo_cd import ArgoCd
from services.dispatcher.adapters.port import AgentAnswer, AgentRequest
from services.verifier.adapters.asking import Asker
from services.verifier.judgement import judge
from services.verifier.recording import complete
from services.verifier.tally import Tally
from tests.fakes.argo_cd import TOKEN, FakeArgoCd
from tests.fakes.serving import Clock
from tests.unit.outbound.outside import calling
from tests.unit.verifier.verifier_scene import Scene

TEMPLATE = """
metadata: {name: shop}
spec: {source: {repoURL: "https://git.example/shop", targetRevision: v2}, destination: {namespace: shop}}
"""


@pytest.mark.parametrize(
    "sync,health,verdict", [("Synced", "Healthy", "passed"), ("OutOfSync", "Progressing", "inconclusive"), ("Synced", "Degraded", "failed")]
)  # fmt: skip
async def test_the_health_of_an_application_is_measured_with_the_token_that_is_sealed(
    sync: str, health: str, verdict: str
) -> None:
    argo = FakeArgoCd(Clock())
    vault = Vault(Sources({}, None), MemoryKeys(MasterKey(b"m" * 32)))
    async with argo.serving(), calling() as outbound:
        clear: Any = {"serverUrl": argo.url, "apiKey": TOKEN, "template": TEMPLATE}
        sealed = await vault.sealed(WORKSPACE, clear, SecretFields.of("apiKey"))
        answer = await ArgoCd(outbound).dispatch(AgentRequest("j", "argo-cd", clear, context={"jobAgentConfig": sealed}))
        assert isinstance(answer, AgentAnswer)
        assert TOKEN not in answer.model_dump_json()
        argo.applications["shop"]["status"] = {"sync": {"status": sync}, "health": {"status": health}}

        scene = Scene()
        scene.require(*answer.metrics)
        ((_, _, question),) = scene.outside.asked
        assert TOKEN not in str(scene.log) + str(question["provider"])
        outcome = await Asker(outbound, vault)(Intent("v/1/m", question))
        assert not isinstance(outcome, NotYet)
        assert TOKEN not in str(outcome)
    assert judge(answer.metrics[0], Tally(due_at=START), (), "release", 0.0, complete(outcome["result"])).status == verdict
