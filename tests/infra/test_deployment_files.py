"""The files for containers and Kubernetes are well-formed and speak of the same services as the code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.embedded.options import SERVICES
from libs.runtime.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


def documents(path: str) -> list[Any]:
    return list(yaml.safe_load_all((ROOT / path).read_text("utf-8")))


def test_compose_runs_every_service_and_both_servers() -> None:
    (compose,) = documents("docker-compose.yml")
    services = compose["services"]
    assert set(services) == {*SERVICES, "postgres", "nats"}
    assert {name: services[name]["command"] for name in SERVICES} == {name: ["--only", name] for name in SERVICES}
    # A merge of YAML maps replaces nested maps whole, so the gateway's own variables could lose the common ones.
    common = {"SIGNALBOX_POSTGRES", "SIGNALBOX_NATS"}
    assert all(common <= set(services[name]["environment"]) for name in SERVICES)
    mounted = [volume.split(":")[0] for name in ("postgres", "nats") for volume in services[name]["volumes"]]
    assert all((ROOT / path).is_file() for path in mounted if path.startswith("./"))
    assert (ROOT / services["gateway"]["build"]["dockerfile"]).is_file()


def test_kubernetes_deploys_every_service_without_privileges() -> None:
    described = documents("infra/kubernetes/services.yaml")
    deployments = {one["metadata"]["name"]: one["spec"]["template"] for one in described if one["kind"] == "Deployment"}
    assert set(deployments) == set(SERVICES)
    for name, template in deployments.items():
        (container,) = template["spec"]["containers"]
        assert container["args"] == ["--only", name]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert {"SIGNALBOX_POSTGRES", "SIGNALBOX_NATS"} <= {one["name"] for one in container["env"]}
    (service,) = (one for one in described if one["kind"] == "Service")
    assert service["spec"]["selector"] == deployments["gateway"]["metadata"]["labels"]


def test_the_master_key_reaches_those_who_seal_and_open_and_nobody_else() -> None:
    (compose,) = documents("docker-compose.yml")
    given = {name for name, one in compose["services"].items() if "SIGNALBOX_SECRET_KEY_FILE" in one.get("environment", {})}
    mounted = {name for name, one in compose["services"].items() if "master-key" in one.get("secrets", [])}
    described = [one for one in documents("infra/kubernetes/services.yaml") if one["kind"] == "Deployment"]
    paths = {
        one["metadata"]["name"]: [
            f"{mount['mountPath']}/{item['path']}"
            for mount in one["spec"]["template"]["spec"]["containers"][0].get("volumeMounts", [])
            for volume in one["spec"]["template"]["spec"]["volumes"]
            if volume["name"] == mount["name"]
            for item in volume["secret"]["items"]
        ]
        for one in described
    }
    files = {
        one["metadata"]["name"]: variable["value"]
        for one in described
        for variable in one["spec"]["template"]["spec"]["containers"][0]["env"]
        if variable["name"] == "SIGNALBOX_SECRET_KEY_FILE"
    }
    assert given == mounted == set(files) == {"gateway", "dispatcher", "verifier"}
    assert all(file in paths[name] for name, file in files.items())


def test_the_address_from_outside_reaches_who_tells_it() -> None:
    (compose,) = documents("docker-compose.yml")
    assert compose["services"]["dispatcher"]["environment"]["SIGNALBOX_PUBLIC_URL"] == "${SIGNALBOX_PUBLIC_URL:-}"
    (dispatcher,) = (
        one["spec"]["template"]["spec"]["containers"][0]
        for one in documents("infra/kubernetes/services.yaml")
        if one["kind"] == "Deployment" and one["metadata"]["name"] == "dispatcher"
    )
    assert "SIGNALBOX_PUBLIC_URL" in {one["name"] for one in dispatcher["env"]}


def test_an_operator_finds_every_setting() -> None:
    """But those by which a supervisor hands over sockets."""
    text = (ROOT / "infra/README.md").read_text("utf-8")
    listed = text[text.index("## Settings") : text.index("## Secrets and the outside")]
    names = {name.upper() for name in Settings.model_fields} - {"LISTEN_FD", "READY_FD"}
    assert {name for name in names if f"`{name}`" not in listed} == set()


def test_the_collector_uses_only_what_it_defines() -> None:
    (collector,) = documents("infra/otel/collector.yaml")
    for pipeline in collector["service"]["pipelines"].values():
        for kind, names in pipeline.items():
            assert set(names) <= set(collector[kind])


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-test.lock"])
def test_a_lock_pins_everything_by_hash_and_names_no_place(lock: str) -> None:
    lines = (ROOT / lock).read_text("utf-8").splitlines()
    pins = [number for number, line in enumerate(lines) if not line.startswith(" ")]
    assert len(pins) > 20
    assert all("==" in lines[number] and lines[number + 1].startswith("    --hash=sha256:") for number in pins)
    assert not [line for line in lines if "://" in line or "--index" in line or "--find-links" in line]


def test_the_test_lock_agrees_with_the_lock() -> None:
    def pinned(lock: str) -> set[str]:
        return {line.rstrip(" \\") for line in (ROOT / lock).read_text("utf-8").splitlines() if "==" in line}

    assert pinned("requirements.lock") < pinned("requirements-test.lock")
