"""What tests of agents can be told on the command line."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kube-apiserver", default=None, help="a kube-apiserver, with etcd beside it, for kubernetes_real.py")
