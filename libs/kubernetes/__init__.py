"""How workloads in a Kubernetes cluster stand, by what its API server shows of them; pure."""

from libs.kubernetes.rollouts import MISSING, Kind, Rollout, Status, rollout

__all__ = ["MISSING", "Kind", "Rollout", "Status", "rollout"]
