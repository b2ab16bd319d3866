"""What a process that runs the gateway starts, beside hosting its service."""

from __future__ import annotations

from services.gateway.http.serving import MIGRATIONS, BadKeyFile, Gateway

__all__ = ["MIGRATIONS", "BadKeyFile", "Gateway"]
