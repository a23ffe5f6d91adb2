"""Simulators and chipgates of a test's own, where a class cannot share one stack; each is ended with its test."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

import wire
from wire import stack

SECRETS = {"CHIPGATE_TEST_PASSWORD": stack.PASSWORD}
SKIPPED = 77
WAYS = ("connect", "absolute", "socks5", "socks4a")
EXIT_PAGE = "exit-ip.sim"
# A name that no host has. DNS ends at 63 characters a label, so the C library refuses it and asks no name server.
NO_HOST = f"gateway.{'x' * 64}"


def ask_over(client: wire.Client, path: str = "/") -> str:
    """The exit-IP page over a connection that leads there."""
    return address_in(client.send(f"GET {path} HTTP/1.1\r\nHost: {EXIT_PAGE}\r\nConnection: close\r\n\r\n".encode()))


def address_in(client: wire.Client) -> str:
    answer = client.answer()
    if answer.status != 200:
        raise AssertionError(f"the exit page answered {answer}")
    return answer.body.decode().strip()


def exit_of(port: int, way: str = "connect", host: str = "127.0.0.1") -> str:
    """Which address a target sees, by each protocol that a client may speak."""
    if way == "connect":
        with wire.tunnel(port, f"{EXIT_PAGE}:80", host=host) as client:
            return ask_over(client)
    with wire.Client(port, host=host) as client:
        if way == "absolute":
            return address_in(client.send(wire.get_head(f"http://{EXIT_PAGE}/", "Connection: close")))
        if way == "socks5":
            client.send(wire.GREETING).exactly(2)
            reply = client.send(wire.socks5_head(EXIT_PAGE, 80)).exactly(10)
            accepted = reply[1] == 0
        else:
            reply = client.send(wire.socks4_head(EXIT_PAGE, 80)).exactly(8)
            accepted = reply[1] == 90
        if not accepted:
            raise AssertionError(f"{way} was refused: {reply.hex()}")
        return ask_over(client)


def refusal(port: int, target: str = "refused.sim:80") -> wire.Answer:
    """What a client that says who it is hears where its CONNECT is refused."""
    with wire.Client(port) as client:
        return client.send(wire.connect_head(target, "User-Agent: curl/8")).answer()


def require_descriptors(count: int) -> None:
    """Ends the program as skipped, which ctest tells, where a process may not have so many."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < count:
        print(f"skipped: {hard} descriptors at most; `ulimit -Hn` must be {count} or more")
        sys.exit(SKIPPED)


class Gate:
    """A running chipgate."""

    def __init__(self, process: stack.Process, ports: dict[str, int], admin: int) -> None:
        self.process, self.ports, self.admin = process, ports, admin
        self.ended = False

    def metric(self, name: str, **labels: str) -> float:
        """0 where there is no such sample."""
        pairs = ",".join(f'{key}="{value}"' for key, value in labels.items())
        return stack.metrics(self.admin).get(f"{name}{{{pairs}}}" if pairs else name, 0.0)

    def said(self, event: str, **fields: Any) -> list[stack.Line]:
        wanted = {"event": event, **fields}
        return [line for line in self.process.err.all() if all(line.get(key) == value for key, value in wanted.items())]

    def line(self, event: str, **fields: Any) -> stack.Line:
        """The first such line, which may be yet to come."""
        wanted = {"event": event, **fields}
        return self.process.require(
            self.process.err, lambda line: all(line.get(key) == value for key, value in wanted.items()), f"{wanted}",
            stack.ANSWER_SECONDS)

    def session(self, chip: str) -> str:
        return str(self.said("assigned", chip=chip)[-1]["session"])

    def wait(self, seconds: float = stack.ANSWER_SECONDS) -> int:
        """For a chipgate that the test has told to end, or that ends by itself."""
        self.ended = True
        return self.process.wait(seconds)

    def end(self) -> None:
        if not self.ended:
            self.process.stop_cleanly()
        else:
            self.process.stop()
            self.process.check_sanitizers()


class Provider(wire.Simulator):
    """A running simulator: its addresses and its API."""

    def __init__(self, process: stack.Process, listening: stack.Line) -> None:
        super().__init__(listening["api"])
        self.process = process
        self.http, self.https, self.socks5 = (str(listening[kind]) for kind in ("http", "https", "socks5"))

    def exits(self) -> dict[str, str]:
        """The exit of every live session."""
        return {session["session"]: session["exit"] for session in self.ask("GET", "/sessions")["sessions"]}

    def log(self) -> list[dict[str, Any]]:
        """All of the origin log."""
        found: list[dict[str, Any]] = []
        while entries := self.ask("GET", f"/log?since={found[-1]['seq'] if found else 0}")["entries"]:
            found += entries
        return found


def memory() -> str | None:
    """Where a sync takes no time, if there is such a place: right after a build the disk writes for minutes, and each of a
    ledger's commits waits for it."""
    place = Path("/dev/shm")
    fits = place.is_dir() and os.access(place, os.W_OK) and shutil.disk_usage(place).free > 512 << 20
    return str(place) if fits else None


class RigTest(unittest.TestCase):
    """Starts what its tests ask for."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="chipgate-test-", dir=memory()))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def provider(self, *arguments: str | Path) -> Provider:
        process, listening = stack.gateway_sim(*stack.credentials(), "--ca-out", self.folder / "sim-ca.pem", *arguments)
        self.addCleanup(process.stop_cleanly)
        return Provider(process, listening)

    def configuration(self, endpoints: list[str], chips: list[str], gateway: stack.Line | None = None,
                      **settings: Any) -> stack.Line:
        written = stack.configuration(endpoints[0], chips, **settings)
        written["gateway"] |= {"endpoints": endpoints, **(gateway or {})}
        written.setdefault("timeouts", {"drain": "0s"})
        return written

    def gate(self, endpoints: list[str] | str, chips: list[str] | None = None, gateway: stack.Line | None = None,
             prefix: list[str] | None = None, **settings: Any) -> Gate:
        """A chipgate that is ready. What it says goes to its stderr as JSON."""
        endpoints = [endpoints] if isinstance(endpoints, str) else endpoints
        written = self.configuration(endpoints, chips or ["alpha", "beta"], gateway, **settings)
        started = Gate(*stack.chipgate(written, self.folder, prefix, SECRETS))
        self.addCleanup(started.end)
        return started

    def run_chipgate(self, *arguments: str | Path, environment: dict[str, str] | None = None,
                     ) -> subprocess.CompletedProcess[str]:
        """One that ends by itself."""
        return subprocess.run([stack.BUILD / "chipgate", *arguments], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=60, env={**os.environ, **(environment or SECRETS)})

    def write(self, configuration: stack.Line | str) -> Path:
        path = self.folder / "chipgate.yaml"
        path.write_text(configuration if isinstance(configuration, str) else stack.json.dumps(configuration))
        return path
