#!/usr/bin/env python3
"""The flags that docs give for Chromium keep WebRTC from sending datagrams past the port, and without them it sends some."""

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

DOCS = stack.REPOSITORY / "docs"
PORT = "http://127.0.0.1:20001"
# The same engine, with one reader of flags each; the second is tried where it is installed.
BINARIES = ("chromium", "chromium-headless-shell")
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
    return {"bypass.md": block[1].split(), "clients.md": re.findall(r"'(--[^']*)'", listed[1])}


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


class WebRtc(unittest.TestCase):
    @contextlib.contextmanager
    def page(self, binary: str, flags: list[str]) -> Iterator[tuple[stack.Process, Servers]]:
        with contextlib.closing(Servers()) as servers, tempfile.TemporaryDirectory(prefix="chipgate-test-") as folder:
            given = [flag.replace(PORT, f"http://127.0.0.1:{servers.proxy.port}") for flag in [*flags, *OURS]]
            command = [str(nodes.node()), nodes.HERE / "webrtc_driver.mjs", str(shutil.which(binary)), str(servers.address[1])]
            process = stack.Process("webrtc_driver.mjs", [*command, *given], {"TMPDIR": folder})
            try:
                yield process, servers
            finally:
                process.stop()

    def assert_nothing_goes_past(self, binary: str, flags: list[str]) -> None:
        with self.page(binary, flags) as (process, servers):
            gathered = process.require(process.out, lambda line: line.get("event") == "gathered", "what it found", SECONDS)
            self.assertEqual(gathered["candidates"], [])
            self.assertEqual(servers.datagrams(), 0)
            # It did look: a relay over TCP is asked by the port.
            servers.proxy.require(f"CONNECT 127.0.0.1:{servers.address[1]} ")
            servers.relay.setblocking(False)
            self.assertRaises(BlockingIOError, servers.relay.accept)

    def test_with_a_pages_flags_no_datagram_goes_past_the_port(self) -> None:
        for binary in filter(shutil.which, BINARIES):
            for page, flags in documented().items():
                with self.subTest(binary=binary, page=page):
                    self.assert_nothing_goes_past(binary, flags)

    def test_each_page_has_the_flag_of_each_binary(self) -> None:
        """Those of a binary that is not installed here as well."""
        for page, flags in documented().items():
            for policy in POLICIES:
                with self.subTest(page=page, policy=policy):
                    self.assertIn(f"{policy}=disable_non_proxied_udp", flags)

    def test_without_those_flags_datagrams_go_past_the_port(self) -> None:
        """What is kept in above would have come."""
        for binary in filter(shutil.which, BINARIES):
            with self.subTest(binary=binary), self.page(binary, [f"--proxy-server={PORT}"]) as (process, servers):
                try:
                    servers.stun.recvfrom(4096)
                except TimeoutError:
                    self.fail(process.said())


if __name__ == "__main__":
    drivers.require_clients("chromium")
    unittest.main(verbosity=2)
