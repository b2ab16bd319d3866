"""The objects that the Argo projects are given: rendered, read as YAML within bounds, and named as Kubernetes allows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from contracts.shapes import Json
from libs.template import TemplateError, parse, render

GROUP: Final = "argoproj.io"
MAX_NAME: Final = 63
NAMESPACE: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_OUTSIDE: Final = re.compile(r"[^a-z0-9-]")
_READ: Final = parse("{{ .text | mustFromYaml | mustToJson }}")
"""The YAML of templates is read as templates read it: one document, as Kubernetes understands it, and no more than a budget allows."""

_MAX_JSON: Final = 1024 * 1024


class ManifestUnusable(Exception):
    """What a template renders to can not be used; the message says why and what to write."""


def sanitised(text: str) -> str:
    """A name or label value as Kubernetes allows it: `Shop_EU` is `shop-eu`; `default` where nothing is left."""
    return _OUTSIDE.sub("-", text.lower())[:MAX_NAME].strip("-") or "default"


def manifest_of(template: str, context: Mapping[str, Any], kind: str) -> Json:
    """The object of a kind that a template renders to: with `apiVersion`, `kind`, `metadata` and `spec`, and labels that are allowed.

    Raises: ManifestUnusable.
    """
    try:
        text = render(template, context)
    except TemplateError as error:
        raise ManifestUnusable(f"The template can not be rendered: {error}.") from None
    try:
        manifest: Any = orjson.loads(_READ.render({"text": text}, longest=_MAX_JSON))
    except TemplateError as error:
        raise ManifestUnusable(f"What the template renders to can not be read: {error.message}.") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("spec"), dict):
        raise ManifestUnusable(f"The template renders to no {kind}: write `apiVersion`, `kind`, `metadata` and `spec`.")
    found = f"{manifest.setdefault('apiVersion', f'{GROUP}/v1alpha1')} {manifest.setdefault('kind', kind)}"
    if not re.fullmatch(rf"{re.escape(GROUP)}/\S+ {kind}", found):
        raise ManifestUnusable(f"The template renders to {found[:200]}, and not to {GROUP}/v1alpha1 {kind}.")
    metadata = manifest.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise ManifestUnusable("The template's metadata is no map: write `metadata:` with `name:` below it.")
    manifest["metadata"] = metadata = {**metadata, "labels": _labels(metadata.get("labels") or {})}
    for field in ("name", "generateName", "namespace"):
        if metadata.get(field) is not None:
            metadata[field] = _scalar(metadata[field], f"metadata.{field}")
    namespace = metadata.get("namespace")
    if namespace and not NAMESPACE.fullmatch(namespace):
        raise ManifestUnusable(
            f"The template's metadata.namespace is {namespace[:200]!r}: a namespace has small letters, digits and hyphens, 63 at most."
        )
    return manifest


def _labels(labels: Any) -> dict[str, str]:
    if not isinstance(labels, dict):
        raise ManifestUnusable("The template's metadata.labels is no map: write one `key: value` a line.")
    return {key: sanitised(_scalar(value, f"metadata.labels.{key}")) for key, value in labels.items() if value is not None}


def _scalar(value: Any, where: str) -> str:
    """A text; numbers and truth values, which YAML makes of some, as they are written."""
    if isinstance(value, dict | list):
        raise ManifestUnusable(f"The template's {where[:200]} is no text: put it into quotes.")
    return value if isinstance(value, str) else orjson.dumps(value).decode()
