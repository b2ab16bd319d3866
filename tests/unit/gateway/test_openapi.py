"""The committed OpenAPI document says what is served."""

from __future__ import annotations

import re

import orjson

from services.gateway.http.app import operations
from services.gateway.http.openapi import PATH, text


def test_the_committed_document_is_the_generated_one() -> None:
    assert PATH.read_bytes() == text(), "run `python -m services.gateway.http.openapi` and commit the result"


def test_every_operation_is_described_and_every_reference_leads_somewhere() -> None:
    document = orjson.loads(PATH.read_bytes())
    described = {spec["operationId"] for path in document["paths"].values() for spec in path.values()}
    webhooks = {"webhook_github", "webhook_tfe", "webhook_argo", "webhook_of_agent"}
    session = {"sign_in", "read_session", "sign_out"}
    assert described == {*operations(), "healthz", "version", "readyz", *webhooks, *session}
    referred = set(re.findall(r'"#/components/schemas/([^"]+)"', PATH.read_text(encoding="utf-8")))
    assert referred <= set(document["components"]["schemas"])
