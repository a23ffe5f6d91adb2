"""What every recipe against leaks is tested with: a gateway outside, everything outside that a leak would reach, and
clients under users of their own that try."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import plan  # noqa: E402
import stack  # noqa: E402
import world  # noqa: E402

CLIENTS, OTHERS = 4711, 4712
GATEWAY_PORT = 3120
OPEN_PORT = 443
ESCAPE = Path(__file__).with_name("escape.py")
# A reset, a send that is forbidden, an ICMP message, and no route.
REFUSED = {"ECONNREFUSED", "EPERM", "EHOSTUNREACH", "ENETUNREACH"}

DIRECT: dict[str, list[str | int]] = {
    "TCP": ["tcp", plan.ROUTER, OPEN_PORT],
    "TCP over IPv6": ["tcp", plan.ROUTER_6, OPEN_PORT],
    "QUIC": ["udp", plan.ROUTER, OPEN_PORT],
    "QUIC over IPv6": ["udp", plan.ROUTER_6, OPEN_PORT],
    "a name": ["udp", plan.NAME_SERVER, 53],
    "a name over TCP": ["tcp", plan.NAME_SERVER, 53],
    "the gateway itself": ["tcp", plan.GATEWAY, GATEWAY_PORT],
}

# How an attempt ended, and after how many seconds.
Ended = tuple[str, float]
Attempt = list[str | int]


def escape(user: int, attempts: list[Attempt], prefix: list[str]) -> list[Ended]:
    done = subprocess.run([*prefix, sys.executable, "-B", str(ESCAPE), str(user), json.dumps(attempts)],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"escape.py: {done.stderr}")
    return [(told, seconds) for told, seconds in json.loads(done.stdout)]


class Recipe(unittest.TestCase):
    """A gateway outside and everything outside that a leak would reach; chipgate is the test's to start."""

    def setUp(self) -> None:
        self.world = world.World()
        self.addCleanup(self.world.close)
        self.folder = Path(tempfile.mkdtemp(prefix="chipgate-bypass-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        gateway, listening = stack.gateway_sim("--api", "127.0.0.1:0", *stack.credentials(), "--ca-out",
                                               self.folder / "sim-ca.pem", prefix=self.world.outside.prefix)
        self.addCleanup(gateway.stop_cleanly)
        host, port = listening["http"].rsplit(":", 1)
        door = world.Door(self.world.outside, GATEWAY_PORT, (host, int(port)))
        door.open()
        self.addCleanup(door.close)
        self.outside: dict[str, socket.socket] = {}
        for address in (plan.ROUTER, plan.ROUTER_6):
            self.listen(address)

    def chipgate_starts(self, **settings: Any) -> None:
        configuration = stack.configuration(f"http://{plan.GATEWAY_NAME}:{GATEWAY_PORT}", ["alpha", "beta"]) | settings
        gate, self.ports, self.admin = stack.chipgate(configuration, self.folder, self.world.inside.prefix,
                                                      {"CHIPGATE_TEST_PASSWORD": stack.PASSWORD})
        self.addCleanup(gate.stop_cleanly)

    def listen(self, address: str) -> None:
        """Something outside that answers whoever gets through."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET

        def bound(kind: socket.SocketKind) -> socket.socket:
            made = socket.socket(family, kind)
            made.bind((address, OPEN_PORT))
            return made

        tcp = self.world.outside.call(lambda: bound(socket.SOCK_STREAM))
        udp = self.world.outside.call(lambda: bound(socket.SOCK_DGRAM))
        tcp.listen()
        self.addCleanup(tcp.close)
        self.outside[address] = tcp

        def answer() -> None:
            while True:
                asked, sender = udp.recvfrom(4096)
                if not asked:
                    return  # shut down
                udp.sendto(asked, sender)

        def end() -> None:
            with udp, contextlib.suppress(OSError):
                udp.shutdown(socket.SHUT_RDWR)

        threading.Thread(target=answer, daemon=True).start()
        self.addCleanup(end)

    def assert_refused(self, ended: dict[str, Ended]) -> None:
        """By an error, since a packet that is dropped tells nothing, and without a packet on the wire."""
        for name, (told, _) in ended.items():
            with self.subTest(name):
                self.assertIn(told, REFUSED)
        self.assert_nothing_on_the_wire()
        self.assertNotIn("web.whatsapp.com", self.world.names.take())

    def assert_nothing_on_the_wire(self) -> None:
        strangers = [str(packet) for packet in self.world.recorder.take() if packet.to != plan.GATEWAY]
        self.assertEqual(strangers, [], "packets on the wire")

    def assert_own_exits(self, ended: dict[str, Ended]) -> None:
        exits = {told for told, _ in ended.values()}
        self.assertEqual(len(exits), len(ended), exits)
        for told in exits:
            self.assertRegex(told, r"\A127\.20\.\d+\.\d+\Z")
