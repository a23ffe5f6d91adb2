#!/usr/bin/env python3
"""Thousands of clients that say their requests a byte at a time: none gets more time for it, and others are served."""

from __future__ import annotations

import resource
import selectors
import threading
import time
import unittest

import rig
import wire
from wire import GREETING, connect_head, get_head, socks4_head, socks5_head, stack

# A sanitizer would take longer to let them in than they are given.
SLOW = 600 if stack.SANITIZED else 2_400
BYTES_OF_A_CLIENT = 48 * 1024 * stack.MEMORY_FACTOR
DRIP_SECONDS = 0.3
# Longer than all that a dripper says before it is thrown out.
LONG = "X-Long: " + "x" * 2000
NAME = "n" * 200
# Of each protocol, what is dripped, and whether a status can be told.
KINDS = {"connect": (connect_head("slow.sim:7", LONG), True), "plain": (get_head("http://slow.sim/", LONG), True),
         "socks5": (GREETING + socks5_head(f"{NAME}.sim", 7), False),
         "socks4": (socks4_head("slow.sim", 7, b"u" * 200), False)}


class Drippers:
    """Clients that say one byte each, again and again, until they are thrown out; each keeps what it heard."""

    def __init__(self, ports: dict[str, int]) -> None:
        self.heard: dict[str, list[bytes]] = {kind: [] for kind in KINDS}
        self.clients = {kind: [wire.Client(port) for _ in range(SLOW // len(KINDS))] for kind, port in ports.items()}
        self._selector = selectors.DefaultSelector()
        for kind, clients in self.clients.items():
            for client in clients:
                client.socket.setblocking(False)
                self._selector.register(client.socket, selectors.EVENT_READ, (kind, client))
        self.said = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        due = time.monotonic()
        while left := list(self._selector.get_map().values()):
            if time.monotonic() >= due:
                due += DRIP_SECONDS
                for key in left:
                    kind, client = key.data
                    try:
                        client.socket.send(KINDS[kind][0][self.said:self.said + 1])
                    except OSError:
                        pass  # its answer, or its reset, is to be read
                self.said += 1
            for key, _ in self._selector.select(max(0.0, due - time.monotonic())):
                self._hear(*key.data)

    def _hear(self, kind: str, client: wire.Client) -> None:
        try:
            data = client.socket.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        client.heard += data
        if not data:
            self._selector.unregister(client.socket)
            client.close()
            self.heard[kind].append(client.heard)

    def over(self) -> bool:
        return not self._thread.is_alive()

    def close(self) -> None:
        for clients in self.clients.values():
            for client in clients:
                client.close()


class Slowloris(wire.WireTest):
    chips = [*KINDS, "served"]

    @classmethod
    def setUpClass(cls) -> None:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        super().setUpClass()

    @classmethod
    def settings(cls) -> stack.Line:
        return {"timeouts": {"drain": "0s", "head": "4s", "connect_budget": "5s"}}

    def serves(self, chip: str) -> None:
        with wire.tunnel(self.ports[chip], "good.sim:7") as client:
            self.assertEqual(client.send(b"x").exactly(1), b"x")

    def late(self, kind: str) -> float:
        return self.metric("chipgate_refusals_total", chip=kind, reason="head_timeout")

    def test_thousands_drip_and_all_are_thrown_out_while_others_are_served(self) -> None:
        for chip in self.ports:
            self.serves(chip)
        wire.until(lambda: self.metric("chipgate_handshakes") == 0, "a quiet chipgate")
        before = stack.metrics(self.admin)
        drippers = Drippers({kind: self.ports[kind] for kind in KINDS})
        self.addCleanup(drippers.close)
        wire.until(lambda: self.metric("chipgate_handshakes") > SLOW / 2, "they are in")
        highest = served = 0
        while not drippers.over():
            # On a port of its own and on theirs.
            for chip in ("served", *KINDS):
                self.serves(chip)
                served += 1
            highest = max(highest, int(self.metric("process_resident_memory_bytes")))
        self.assertGreaterEqual(served, len(self.ports))
        self.assertLess((highest - before["process_resident_memory_bytes"]) / SLOW, BYTES_OF_A_CLIENT)
        for kind, (_, told) in KINDS.items():
            self.assertEqual(self.late(kind), SLOW / len(KINDS))
            if told:
                self.assertEqual(sum(b"head_timeout" in heard for heard in drippers.heard[kind]), SLOW / len(KINDS))
        self.assertEqual(self.late("served"), 0)
        wire.until(lambda: self.metric("process_open_fds") <= before["process_open_fds"], "every descriptor is back")
        self.assertEqual(self.metric("chipgate_handshakes"), 0)


if __name__ == "__main__":
    rig.require_descriptors(SLOW + 200)
    unittest.main(verbosity=2)
