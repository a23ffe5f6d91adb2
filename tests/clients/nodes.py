"""Node programs as children of a test, and the certificate of the stand-in for web.whatsapp.com."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
import stack  # noqa: E402

NODE_MINIMUM = 20
SKIPPED = 77


def node() -> str | None:
    """A Node that the clients can run under: the system's, or the one that ./test installed."""
    installed = stack.REPOSITORY / "build/node/node_modules/node/bin/node"
    for candidate in [shutil.which("node"), str(installed)]:
        if candidate and os.access(candidate, os.X_OK):
            version = subprocess.run([candidate, "--version"], capture_output=True, text=True, timeout=20).stdout
            if int(version.strip().lstrip("v").split(".")[0] or 0) >= NODE_MINIMUM:
                return candidate
    return None


def require_node() -> None:
    package = "node_modules/@whiskeysockets/baileys"
    if node() is None or not all((HERE / folder / package).is_dir() for folder in (".", "baileys6")):
        print(f"skipped: needs Node {NODE_MINIMUM} and the packages of tests/clients; ./test installs both")
        sys.exit(SKIPPED)


def start(script: str, *arguments: object, trust: Path | None = None) -> stack.Process:
    binary = node()
    assert binary
    environment = {"NODE_EXTRA_CA_CERTS": str(trust)} if trust else {}
    return stack.Process(script, [binary, HERE / script, *map(str, arguments)], environment)


def make_certificate(folder: Path, name: str, *more: str) -> tuple[Path, Path, Path]:
    """An authority and a certificate for the names that it signed: (authority, certificate, key)."""
    names = ",".join(f"DNS:{one}" for one in (name, *more))
    new_key = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    authority, authority_key = folder / "authority.pem", folder / "authority.key"
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    for command in (
        [*new_key, "-subj", "/CN=chipgate tests", "-out", authority, "-keyout", authority_key],
        [*new_key, "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}", "-addext",
         "basicConstraints=critical,CA:false", "-CA", authority, "-CAkey", authority_key, "-out", certificate,
         "-keyout", key],
    ):
        subprocess.run(list(map(str, command)), check=True, capture_output=True, timeout=30)
    return authority, certificate, key
