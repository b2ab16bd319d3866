"""The far sides of agents in one form: how a run is started there, how many there are of a job, how one ends, and how that is told."""

from __future__ import annotations

import hashlib
import hmac
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from contracts.shapes import Json
from libs.outbound.asking import Outbound
from libs.webhooks.signatures import signed
from services.dispatcher.adapters.argo_workflow import ArgoWorkflow
from services.dispatcher.adapters.github_api import AppKey, GithubApi
from services.dispatcher.adapters.github_app import GithubApp
from services.dispatcher.adapters.kubernetes import Kubernetes
from services.dispatcher.adapters.kubernetes_api import KubernetesApi
from services.dispatcher.adapters.kubernetes_manifests import JOB_LABEL
from services.dispatcher.adapters.port import Agent
from services.dispatcher.adapters.tfe import TfeAgent
from services.dispatcher.adapters.webhook import Webhook
from tests.fakes import argo_workflows, github, kubernetes, receiver, tfe
from tests.fakes.serving import Fake
from tests.faults.dispatch.hours import Hours

HOST = "far.example"
SECRETS = {
    "github": "what-github-signs-with",
    "tfe": "what-terraform-signs-with",
    "argo": "what-argo-sends-along",
    "token of tfe": tfe.TOKEN,
    "token of argo": argo_workflows.TOKEN,
    "token of kubernetes": kubernetes.TOKEN,
    "receiver": receiver.SECRET,
}
"""None of these may ever be recorded."""

_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_PEM = _KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


class Told(NamedTuple):
    """A webhook: where it goes to under `/api`, and what it says."""

    path: str
    headers: dict[str, str]
    body: bytes


class FarSide(ABC):
    """One kind of far side.

    Attributes:
        type: of the agent.
        starts: the call that starts a run, as faults name it.
        fake: the server.
        looks: a call with an unknown outcome is never made again, so that a run that was not started stays so.
    """

    type: str
    starts: str
    fake: Fake
    looks = False

    def __init__(self, clock: Hours) -> None:
        self.clock = clock

    @property
    def url(self) -> str:
        return self.fake.server.url("", host=HOST)

    @abstractmethod
    def agent(self, outbound: Outbound) -> Agent:
        """The agent, as a new process makes it."""

    @abstractmethod
    def config(self) -> Json:
        """The agent's configuration, with its secrets in clear."""

    @abstractmethod
    def runs(self, job_id: str) -> list[Any]:
        """The runs there ever were of a job."""

    @abstractmethod
    def finish(self, job_id: str) -> None:
        """Its only run ends well."""

    def told(self, agent_id: str, job_id: str, *, ended: bool = True, at: datetime | None = None, secret: str = "") -> Told:
        """The webhook that says that the run goes on, or has ended well.

        Args:
            at: when the far side says that this was; None: now.
            secret: another one than both know.
        """
        raise AssertionError(f"{self.type} tells nothing")

    def _at(self, at: datetime | None) -> str:
        return f"{at or self.clock():%Y-%m-%dT%H:%M:%SZ}"


class Github(FarSide):
    type, starts, looks = "github-app", "POST .*/dispatches", True

    def __init__(self, clock: Hours) -> None:
        super().__init__(clock)
        self.fake: github.FakeGithub = github.FakeGithub(_KEY.public_key(), clock)

    def agent(self, outbound: Outbound) -> Agent:
        own = AppKey(github.APP, _PEM, self.url)
        return GithubApp(GithubApi(outbound, own, clock=self.clock), clock=self.clock, pause=self.clock.pause)

    def config(self) -> Json:
        return {
            "installationId": github.INSTALLATION,
            "owner": "acme",
            "repo": "shop",
            "workflowId": github.WORKFLOW,
            "apiUrl": self.url,
        }

    def runs(self, job_id: str) -> list[Any]:
        return [run for run in self.fake.runs if job_id in run["name"]]

    def finish(self, job_id: str) -> None:
        (run,) = self.runs(job_id)
        run |= {"status": "completed", "conclusion": "success", "updated_at": self._at(None)}

    def told(self, agent_id: str, job_id: str, *, ended: bool = True, at: datetime | None = None, secret: str = "") -> Told:
        run = next(iter(self.runs(job_id)), {"id": 9_000_000_001, "name": f"Deploy {job_id}"})
        said = {"status": "completed", "conclusion": "success"} if ended else {"status": "in_progress", "conclusion": None}
        body = json.dumps(
            {
                "action": "completed" if ended else "in_progress",
                "workflow_run": {**run, **said, "updated_at": self._at(at)},
                "repository": {"full_name": "acme/shop"},
                "installation": {"id": github.INSTALLATION},
            }
        ).encode()
        mark = hmac.new((secret or SECRETS["github"]).encode(), body, hashlib.sha256).hexdigest()
        return Told("/github/webhook", {"X-GitHub-Event": "workflow_run", "X-Hub-Signature-256": f"sha256={mark}"}, body)


class Terraform(FarSide):
    type, starts, looks = "tfe", "POST /api/v2/runs$", True

    def __init__(self, clock: Hours) -> None:
        super().__init__(clock)
        self.fake: tfe.FakeTfe = tfe.FakeTfe(clock)

    def agent(self, outbound: Outbound) -> Agent:
        return TfeAgent(outbound, clock=self.clock, pause=self.clock.pause)

    def config(self) -> Json:
        return {
            "address": self.url,
            "token": tfe.TOKEN,
            "organization": tfe.ORGANIZATION,
            "template": "name: shop-{{ .resource.name }}\n",
            "webhookSecret": SECRETS["tfe"],
        }

    def runs(self, job_id: str) -> list[Any]:
        return [run for run in self.fake.runs.values() if job_id in run["attributes"]["message"]]

    def finish(self, job_id: str) -> None:
        (run,) = self.runs(job_id)
        self.fake.move(run["id"], "applied")

    def told(self, agent_id: str, job_id: str, *, ended: bool = True, at: datetime | None = None, secret: str = "") -> Told:
        (run,) = self.runs(job_id)
        first = {"trigger": "run:completed" if ended else "run:planning", "run_updated_at": self._at(at)}
        said = {"run_id": run["id"], "run_message": run["attributes"]["message"], "notifications": [first]}
        body = json.dumps(said).encode()
        mark = hmac.new((secret or SECRETS["tfe"]).encode(), body, hashlib.sha512).hexdigest()
        return Told("/tfe/webhook", {"X-TFE-Notification-Signature": mark}, body)


class Argo(FarSide):
    type, starts = "argo-workflow", "POST .*/workflows/ci$"

    def __init__(self, clock: Hours) -> None:
        super().__init__(clock)
        self.fake: argo_workflows.FakeArgoWorkflows = argo_workflows.FakeArgoWorkflows(clock)

    def agent(self, outbound: Outbound) -> Agent:
        return ArgoWorkflow(outbound, clock=self.clock)

    def config(self) -> Json:
        template = (
            "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {namespace: ci}\n"
            "spec:\n  entrypoint: main\n  templates: [{name: main, container: {image: 'shop:{{ .version.tag }}'}}]\n"
        )
        return {
            "serverUrl": self.url,
            "apiKey": argo_workflows.TOKEN,
            "template": template,
            "name": "deploy",
            "webhookSecret": SECRETS["argo"],
        }

    def runs(self, job_id: str) -> list[Any]:
        return list(self.fake.of_job(job_id))

    def finish(self, job_id: str) -> None:
        self.fake.move("Succeeded")

    def told(self, agent_id: str, job_id: str, *, ended: bool = True, at: datetime | None = None, secret: str = "") -> Told:
        (run,) = self.runs(job_id)
        said = {"jobId": job_id, "uid": run["metadata"]["uid"], "phase": "Succeeded" if ended else "Running"}
        body = json.dumps({**said, "finishedAt": self._at(at)}).encode()
        return Told(f"/argo/{agent_id}/webhook", {"Authorization": secret or SECRETS["argo"]}, body)


class Cluster(FarSide):
    type, starts = "kubernetes", "POST .*/jobs$"

    def __init__(self, clock: Hours) -> None:
        super().__init__(clock)
        self.fake: kubernetes.FakeKubernetes = kubernetes.FakeKubernetes(clock)

    def agent(self, outbound: Outbound) -> Agent:
        return Kubernetes(KubernetesApi(outbound, clock=self.clock, environ={}), clock=self.clock)

    def config(self) -> Json:
        spec = "{containers: [{name: main, image: 'shop:{{.version.tag}}'}], restartPolicy: Never}"
        template = (
            f"apiVersion: batch/v1\nkind: Job\nmetadata: {{generateName: migrate-}}\nspec: {{template: {{spec: {spec}}}}}\n"
        )
        return {"serverUrl": self.url, "token": kubernetes.TOKEN, "namespace": "shop", "template": template}

    def runs(self, job_id: str) -> list[Any]:
        # `made` counts those that are gone as well; every Job in here is of the one job that a scene has.
        made = [one for one in self.fake.made if one.startswith("Job ")]
        jobs = [one for one in self.fake.objects.values() if one["kind"] == "Job"]
        assert all(one["metadata"]["labels"][JOB_LABEL] == job_id for one in jobs)
        return made

    def finish(self, job_id: str) -> None:
        (job,) = (one for one in self.fake.objects.values() if one["kind"] == "Job")
        conditions = [{"type": kind, "status": "True"} for kind in ("SuccessCriteriaMet", "Complete")]
        job["status"] = {"succeeded": 1, "active": 0, "ready": 0, "uncountedTerminatedPods": {}, "conditions": conditions}


class Receiver(FarSide):
    type, starts = "webhook", "POST /deploy"

    def __init__(self, clock: Hours) -> None:
        super().__init__(clock)
        self.fake: receiver.FakeReceiver = receiver.FakeReceiver(clock)

    def agent(self, outbound: Outbound) -> Agent:
        return Webhook(outbound, public_url="https://signalbox.example", clock=self.clock)

    def config(self) -> Json:
        return {"url": f"{self.url}/deploy", "secret": receiver.SECRET}

    def runs(self, job_id: str) -> list[Any]:
        return [run for run in self.fake.runs if run == job_id]

    def finish(self, job_id: str) -> None:
        """Nobody can ask it; it tells."""

    def told(self, agent_id: str, job_id: str, *, ended: bool = True, at: datetime | None = None, secret: str = "") -> Told:
        said = {"jobId": job_id, "status": "successful" if ended else "inProgress", "at": self._at(at)}
        body = json.dumps(said).encode()
        # A signature is made when the webhook is sent; what it tells of may be older.
        return Told(
            f"/webhook/{agent_id}", {"X-Signalbox-Signature": signed(body, secret or receiver.SECRET, self.clock())}, body
        )


FAR_SIDES: Mapping[str, Callable[[Hours], FarSide]] = {
    "argo-workflow": Argo,
    "github-app": Github,
    "kubernetes": Cluster,
    "tfe": Terraform,
    "webhook": Receiver,
}
TELLING = ("argo-workflow", "github-app", "tfe", "webhook")
"""Those that send webhooks."""
EARLIER = timedelta(minutes=1)
