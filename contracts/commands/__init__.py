"""Every command and query, one module per service that answers. Importing this package registers them all."""

from contracts.commands import dispatcher, gateway, inventory, planner, policy, verifier

__all__ = ["dispatcher", "gateway", "inventory", "planner", "policy", "verifier"]
