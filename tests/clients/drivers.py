"""Clients under test as programs that take jobs, and the stand-in for WhatsApp's hosts that they all talk to."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nodes
import stack

HERE = nodes.HERE
WHATSAPP = "web.whatsapp.com"
MEDIA = "mmg.whatsapp.net"
# Chromium opens six connections to one host and no more, so twenty tunnels want twenty hosts.
MANY = [f"media-{number}.cdn.whatsapp.net" for number in range(1, 21)]
# Ends its sides one by one.
HALVES = "halves.whatsapp.net"
HOSTS = [WHATSAPP, MEDIA, *MANY]


class Driver:
    """A program that takes jobs. `killed` is what a SIGKILL has to strike."""

    def __init__(self, name: str, command: list[str | Path], environment: dict[str, str]) -> None:
        reading, writing = os.pipe()
        self._jobs = os.fdopen(writing, "w")
        with os.fdopen(reading) as stdin:
            self.process = stack.Process(name, command, environment, stdin=stdin.fileno())
        ready = self.process.require(self.process.out, lambda line: line.get("event") == "ready", "that it is ready")
        self.killed = int(ready.get("pid", self.process.pid))
        self._numbers = itertools.count(1)

    def begin(self, **job: Any) -> int:
        number = next(self._numbers)
        self._jobs.write(json.dumps({"id": number, **job}) + "\n")
        self._jobs.flush()
        return number

    def line(self, number: int, seconds: float, event: tuple[str | None, ...] = (None,)) -> stack.Line | None:
        """The first that it says of a job and one of these events, if it does in time."""
        return self.process.out.first(lambda line: line.get("id") == number and line.get("event") in event, seconds)

    def ask(self, seconds: float = 2 * stack.ANSWER_SECONDS, **job: Any) -> stack.Line:
        answer = self.line(self.begin(**job), seconds)
        if answer is None:
            raise AssertionError(f"{self.process.name} did not answer {job} within {seconds:g} s; {self.process.said()}")
        return answer

    def stop(self) -> None:
        self._jobs.close()
        self.process.stop()


class Whatsapp:
    """The stand-in: a node program with a certificate for all of the hosts. Clients trust what stands in `authority`."""

    def __init__(self, folder: Path) -> None:
        self.authority, certificate, key = nodes.make_certificate(folder, *HOSTS, HALVES)
        self.spki = self._fingerprint(certificate)
        self.process = nodes.start("whatsapp.mjs", certificate, key)
        listening = self.process.require(self.process.out, lambda line: line.get("event") == "listening", "its port")
        self.ports = {**dict.fromkeys(HOSTS, listening["port"]), HALVES: listening["halves"]}

    @staticmethod
    def _fingerprint(certificate: Path) -> str:
        public = subprocess.run(["openssl", "x509", "-in", certificate, "-pubkey", "-noout"], check=True,
                                capture_output=True, timeout=30).stdout
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "der"], input=public, check=True,
                             capture_output=True, timeout=30).stdout
        return base64.b64encode(hashlib.sha256(der).digest()).decode()

    def mapping(self) -> list[str]:
        """The simulator's arguments that lead its targets here."""
        return list(itertools.chain.from_iterable(("--map", f"{host}:443=127.0.0.1:{port}")
                                                  for host, port in self.ports.items()))

    def trust_also(self, authority: Path) -> None:
        """By clients that are started from now on."""
        with self.authority.open("a") as file:
            file.write(authority.read_text())

    def heard(self, address: str, seconds: float, event: str = "request", path: str = "/wait") -> stack.Line | None:
        """A request or a first message from an exit."""
        wanted = {"event": event, "address": address, "path": path}
        return self.process.out.first(lambda line: all(line.get(key) == value for key, value in wanted.items()), seconds)

    def asked(self, path: str, seconds: float) -> stack.Line | None:
        """A request for a path that is one client's own."""
        return self.process.out.first(lambda line: line.get("path") == path, seconds)

    def trusted(self) -> dict[str, str]:
        """The environment in which Node, Python and Go trust it."""
        return {"NODE_EXTRA_CA_CERTS": str(self.authority), "SSL_CERT_FILE": str(self.authority)}


def require_clients(*programs: str) -> None:
    """Ends the test as skipped where Node or one of these is not there."""
    nodes.require_node()
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        print(f"skipped: needs {' and '.join(missing)}; ./test installs them")
        sys.exit(nodes.SKIPPED)


def start(kind: str, whatsapp: Whatsapp, folder: Path) -> Driver:
    """node, chromium, go, stdlib, curl, baileys or baileys6."""
    node = str(nodes.node())
    environment = {**whatsapp.trusted(), "TMPDIR": str(folder)}  # what is left there goes with the test's folder
    commands: dict[str, list[str | Path]] = {
        "node": [node, HERE / "node_driver.mjs"],
        "chromium": [node, HERE / "chromium_driver.mjs", str(shutil.which("chromium")), whatsapp.spki],
        "stdlib": [sys.executable, "-B", HERE / "stdlib_driver.py"],
        "curl": [sys.executable, "-B", HERE / "curl_driver.py", whatsapp.authority],
        "baileys": [node, HERE / "baileys_driver.mjs"],
        "baileys6": [node, HERE / "baileys6/driver.mjs"],
    }
    if kind == "go":
        commands["go"] = [build_go(folder)]
    return Driver(kind, commands[kind], environment)


def build_go(folder: Path) -> Path:
    """Without a module: it needs the standard library alone. The cache stays, so that only the first build takes long."""
    binary = folder / "go_driver"
    if not binary.exists():
        environment = {**os.environ, "GO111MODULE": "off", "CGO_ENABLED": "0", "GOFLAGS": "", "GOTOOLCHAIN": "local",
                       "GOCACHE": str(stack.BUILD.resolve() / "go-cache")}
        subprocess.run(["go", "build", "-o", binary, "main.go"], cwd=HERE / "go_driver", env=environment, check=True,
                       capture_output=True, timeout=300)
    return binary
