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
from certificates import make_certificate  # noqa: E402, F401

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
