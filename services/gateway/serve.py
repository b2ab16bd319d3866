"""What a process that runs the gateway starts, beside hosting its service; and how its read tables are made again."""

from __future__ import annotations

from services.gateway.adapters.rebuilding import rebuild
from services.gateway.http.serving import MIGRATIONS, BadKeyFile, Gateway

__all__ = ["MIGRATIONS", "BadKeyFile", "Gateway", "rebuild"]
