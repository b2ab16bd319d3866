"""Applications of Argo CD by its API: put, found, rendered and removed.

https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs/ (its Swagger UI lists what is called here)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

import orjson

from contracts.shapes import Json
from services.dispatcher.adapters.argo_api import ArgoServer, part
from services.dispatcher.adapters.argo_names import ManifestUnusable, manifest_of, sanitised
from services.dispatcher.adapters.outcome import Held, Rejected

APPLICATIONS: Final = "/api/v1/applications"
HOME: Final = "argocd"
"""The namespace that Argo CD is installed into; applications in any other one must be asked for with their namespace."""

_PASSING: Final = "code = Unavailable"
"""Argo CD's own words when one of its parts does not answer at the moment."""


def application_of(template: str, context: Mapping[str, Any]) -> Json:
    """The Application that a template renders to. Raises: ManifestUnusable."""
    application = manifest_of(template, context, "Application")
    metadata = application["metadata"]
    if not metadata.get("name"):
        # One name for all of them would let every target overwrite the one before.
        raise ManifestUnusable(
            "The template's Application has no metadata.name: write for example `name: shop-{{ .resource.name }}`."
        )
    metadata["name"] = sanitised(metadata["name"])
    # An operation in it would be carried out at once, and what the status is, only Argo CD can say.
    return {key: value for key, value in application.items() if key not in ("operation", "status")}


def path_of(name: str, namespace: str, end: str = "", **query: str) -> str:
    """The path of an application."""
    if namespace not in ("", HOME):
        query["appNamespace"] = namespace
    return f"{APPLICATIONS}/{quote(name, safe='')}{end}{f'?{urlencode(query)}' if query else ''}"


@dataclass(frozen=True, slots=True)
class Applications:
    """The applications of a server. Every method raises `Held` and `Rejected`."""

    server: ArgoServer

    async def put(self, application: Json) -> Json:
        """Create or change an application, named as it is; again changes nothing. Returns what Argo CD made of it."""
        try:
            return await self._put(application)
        except Held as held:
            if held.status != 500 or _PASSING in held.message:
                raise
        # Most of Argo CD's errors of this kind stay, and some come after it did what was asked: the second answer counts.
        try:
            return await self._put(application)
        except Held as held:
            if held.status != 500 or _PASSING in held.message:
                raise
            raise Rejected(held.message, held.status) from None

    async def _put(self, application: Json) -> Json:
        return await self.server.call("POST", f"{APPLICATIONS}?upsert=true", json=application)

    async def get(self, name: str, namespace: str, project: str) -> Json | None:
        """An application; None where there is none."""
        try:
            return await self.server.found(path_of(name, namespace))
        except Rejected as no:
            if no.status != 403:
                raise
        # Whoever may see one project only is told that others' applications, and those that are not there, are forbidden.
        return await self.server.found(path_of(name, namespace, project=project))

    async def labelled(self, label: str, value: str) -> list[Json]:
        """The applications with a label."""
        told = await self.server.call("GET", f"{APPLICATIONS}?{urlencode({'selector': f'{label}={value}'})}")
        items = told.get("items")
        return [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []

    async def manifests(self, name: str, namespace: str) -> list[str]:
        """What an application renders to, as JSON texts; empty where that is not known yet."""
        told = await self.server.call("GET", path_of(name, namespace, "/manifests"))
        found = told.get("manifests")
        return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []

    async def remove(self, application: Json) -> None:
        """Remove an application and leave alone what it deployed; it may be gone."""
        name, namespace = part(application, "metadata", "name"), part(application, "metadata", "namespace")
        try:
            await self.server.call("DELETE", path_of(str(name), str(namespace or ""), cascade="false"))
        except Rejected as no:
            if no.status != 404:
                raise


def read_manifest(text: str) -> Json:
    """A manifest as Argo CD gives it, without what a Secret holds. Raises: Rejected."""
    try:
        manifest = orjson.loads(text)
    except orjson.JSONDecodeError:
        manifest = None
    if not isinstance(manifest, dict):
        raise Rejected("Argo CD gave a manifest that can not be read.")
    if manifest.get("kind") == "Secret":
        # Argo CD hides them as well, as long as nobody changed its settings.
        for field in ("data", "stringData"):
            held = manifest.get(field)
            if isinstance(held, dict):
                manifest[field] = dict.fromkeys(held, "++++++++")
    return manifest
