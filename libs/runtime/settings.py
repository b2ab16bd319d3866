"""Settings of a service process, read from the environment (`SIGNALBOX_…`)."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where things are.

    Attributes:
        postgres: libpq connection string or URL.
        nats: URL, with the token in it where one is needed.
        host, port: where the gateway listens when no socket was handed over; port 0 picks a free one.
        listen_fd: a listening socket that the supervisor holds, so that clients wait instead of being refused during a restart.
        ready_fd: gets one line `ready` when the process serves.
        bootstrap_key_file: an API key (`<16 hex>.<64 hex>`) that the gateway makes sure of at start.
        secret_key_file: the master key that wraps the workspaces' keys: 64 or more hex digits in a line; after a change the older ones
            below it. Without it secrets can be referred to, but not sealed.
        secrets_dir: the folder whose files configurations may refer to as `${secret:file:NAME}`; none without it.
        outbound_allow: which addresses agents and measurements may call beside public ones: `loopback`, `private`, `link-local`, networks
            (`10.1.0.0/16`) and single addresses, separated by commas.
        outbound_ca_file: certificates (PEM) that calls trust beside the public ones.
        public_url: where the gateway is reached from outside, such as `https://releases.example.com`; told to whoever is to call back.
        github_app_id, github_private_key_file, github_api_url: the GitHub App (PEM file) by which `github-app` agents act that bring none of
            their own.
        github_webhook_secret: signs what GitHub sends to `/api/github/webhook`; without it nothing is taken there.
        tfe_webhook_secret: signs notifications of Terraform that come to `/api/tfe/webhook`; given only to the Terraform at `tfe_address`.
        traces: where spans go: nowhere, the console, or an OTLP collector (its address by the standard `OTEL_EXPORTER_OTLP_…`).
        snapshot_every: facts between two snapshots of a service's state.
    """

    model_config = SettingsConfigDict(env_prefix="SIGNALBOX_")

    postgres: str
    nats: str = "nats://127.0.0.1:4222"
    host: str = "127.0.0.1"
    port: int = 8080
    listen_fd: int | None = None
    ready_fd: int | None = None
    bootstrap_key_file: Path | None = None
    secret_key_file: Path | None = None
    secrets_dir: Path | None = None
    outbound_allow: str = ""
    outbound_ca_file: Path | None = None
    public_url: str = ""
    github_app_id: str = ""
    github_private_key_file: Path | None = None
    github_api_url: str = "https://api.github.com"
    github_webhook_secret: str = Field("", repr=False)
    tfe_webhook_secret: str = Field("", repr=False)
    tfe_address: str = "https://app.terraform.io"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    traces: Literal["none", "console", "otlp"] = "none"
    snapshot_every: int = 5_000
