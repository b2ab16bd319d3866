"""Every fact, one module or package per owning service. Importing this package registers them all."""

from contracts.facts import dispatcher, gateway, inventory, planner, policy, verifier

__all__ = ["dispatcher", "gateway", "inventory", "planner", "policy", "verifier"]
