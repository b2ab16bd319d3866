"""The embedded layout: one command that starts and keeps alive Postgres, nats-server and the services.

`supervisor` is the whole system as `infra/dev up` runs it; `servers` is Postgres and nats-server alone, for tests.
"""
