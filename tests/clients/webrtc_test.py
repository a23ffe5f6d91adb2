#!/usr/bin/env python3
"""The flags that docs give for Chromium keep WebRTC from sending datagrams and asking names past the port, and without them
it does."""

from __future__ import annotations

import contextlib
import queue
import re
import shutil
import socket
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from typing import Iterator

sys.dont_write_bytecode = True
import drivers
import nodes
import stack
sys.path.insert(0, str(drivers.HERE.parent / "isolation"))
import namespaces  # noqa: E402
import world  # noqa: E402

DOCS = stack.REPOSITORY / "docs"
PORT = "http://127.0.0.1:20001"
# The same engine, with one reader of flags each; the second is tried where it is installed.
BINARIES = ("chromium", "chromium-headless-shell")
NAMES = "--host-resolver-rules="
POLICIES = ("--webrtc-ip-handling-policy", "--force-webrtc-ip-handling-policy")
# The STUN server is on loopback, which may be all that there is, and nothing may leave this host: not by multicast either.
OURS = ("--proxy-bypass-list=<-loopback>", "--allow-loopback-in-peer-connection",
        "--disable-features=WebRtcHideLocalIpsWithMdns", "--disable-background-networking", "--disable-component-update",
        "--no-pings")
# A browser on a busy machine takes its time to begin.
SECONDS = 60.0


def documented() -> dict[str, list[str]]:
    """Each page's flags."""
    block = re.search(r"```\n(--proxy-server=.*?)```", (DOCS / "bypass.md").read_text(), re.S)
    listed = re.search(r"puppeteer: \{ args: \[\n(.*?)\]", (DOCS / "clients.md").read_text(), re.S)
    assert block and listed
    return {"bypass.md": block[1].splitlines(), "clients.md": re.findall(r"'(--[^']*)'", listed[1])}


class Proxy:
    """Stands for a chip's port: takes down what it is asked for, and answers nothing."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.asked: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return  # closed
            with client:
                client.settimeout(SECONDS)
                try:
                    self.asked.put(client.recv(4096).decode(errors="replace").split("\r\n")[0])
                except OSError:
                    pass  # it went

    def require(self, line: str) -> None:
        while not self.asked.get(timeout=SECONDS).startswith(line):
            pass

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


class Servers:
    """The STUN server and the relay that a page is told of, and its proxy."""

    def __init__(self) -> None:
        self.proxy = Proxy()
        self.relay = socket.create_server(("127.0.0.1", 0))
        self.address = self.relay.getsockname()
        self.stun = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.stun.bind(self.address)
        self.stun.settimeout(SECONDS)

    def datagrams(self) -> int:
        """How many came until now: one of our own comes behind them."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mark:
            mark.bind(("127.0.0.1", 0))
            mark.sendto(b"mark", self.address)
            count = 0
            while self.stun.recvfrom(4096)[1] != mark.getsockname():
                count += 1
            return count

    def close(self) -> None:
        self.proxy.close()
        self.relay.close()
        self.stun.close()


@contextlib.contextmanager
def page(binary: str, flags: list[str], servers: Servers, stun: str = "", relay: str = "",
         prefix: list[str] | None = None) -> Iterator[stack.Process]:
    at = f"127.0.0.1:{servers.address[1]}"
    given = [flag.replace(PORT, f"http://127.0.0.1:{servers.proxy.port}") for flag in [*flags, *OURS]]
    command = [str(nodes.node()), nodes.HERE / "webrtc_driver.mjs", str(shutil.which(binary)), stun or at, relay or at, *given]
    with tempfile.TemporaryDirectory(prefix="chipgate-test-") as folder:
        process = stack.Process("webrtc_driver.mjs", command, {"TMPDIR": folder}, prefix)
        try:
            yield process
        finally:
            process.stop()


def gathered(process: stack.Process) -> list[str]:
    """The addresses that the page found, once it looks for no more."""
    line = process.require(process.out, lambda line: line.get("event") == "gathered", "what it found", SECONDS)
    return list(line["candidates"])


class WebRtc(unittest.TestCase):
    def assert_nothing_goes_past(self, binary: str, flags: list[str]) -> None:
        with contextlib.closing(Servers()) as servers, page(binary, flags, servers) as process:
            self.assertEqual(gathered(process), [])
            self.assertEqual(servers.datagrams(), 0)
            # It did look: a relay over TCP is asked by the port.
            servers.proxy.require(f"CONNECT 127.0.0.1:{servers.address[1]} ")
            servers.relay.setblocking(False)
            self.assertRaises(BlockingIOError, servers.relay.accept)

    def test_with_a_pages_flags_no_datagram_goes_past_the_port(self) -> None:
        for binary in filter(shutil.which, BINARIES):
            for name, flags in documented().items():
                with self.subTest(binary=binary, page=name):
                    self.assert_nothing_goes_past(binary, flags)

    def test_each_page_has_the_flag_of_each_binary(self) -> None:
        """Those of a binary that is not installed here as well."""
        for name, flags in documented().items():
            for policy in POLICIES:
                with self.subTest(page=name, policy=policy):
                    self.assertIn(f"{policy}=disable_non_proxied_udp", flags)

    def test_without_those_flags_datagrams_go_past_the_port(self) -> None:
        """What is kept in above would have come."""
        for binary in filter(shutil.which, BINARIES):
            with self.subTest(binary=binary), contextlib.closing(Servers()) as servers, \
                    page(binary, [f"--proxy-server={PORT}"], servers) as process:
                try:
                    servers.stun.recvfrom(4096)
                except TimeoutError:
                    self.fail(process.said())


class Names(unittest.TestCase):
    """In a network namespace whose resolver is the test's."""

    RELAY = "relay.example.test"

    def setUp(self) -> None:
        try:
            self.world = world.World()
        except (namespaces.NotAllowed, PermissionError) as why:
            self.skipTest(str(why))
        self.addCleanup(self.world.close)

    def asked(self, binary: str, flags: list[str]) -> list[str]:
        """The names that a page's servers made Chromium ask."""
        self.world.names.take()
        with contextlib.closing(self.world.inside.call(Servers)) as servers, \
                page(binary, flags, servers, "stun.example.test:3478", f"{self.RELAY}:443", self.world.inside.prefix) as process:
            gathered(process)
            servers.proxy.require(f"CONNECT {self.RELAY}:443 ")
        return self.world.names.take()

    def test_with_a_pages_flags_no_name_is_asked(self) -> None:
        for binary in filter(shutil.which, BINARIES):
            for name, flags in documented().items():
                with self.subTest(binary=binary, page=name):
                    self.assertEqual(self.asked(binary, flags), [])

    def test_without_their_rule_for_names_that_of_a_relay_is_asked(self) -> None:
        for binary in filter(shutil.which, BINARIES):
            with self.subTest(binary=binary):
                flags = [flag for flag in documented()["bypass.md"] if not flag.startswith(NAMES)]
                self.assertIn(self.RELAY, self.asked(binary, flags))


if __name__ == "__main__":
    drivers.require_clients("chromium")
    unittest.main(verbosity=2)
