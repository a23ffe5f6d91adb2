#!/usr/bin/env python3
"""How chipgate ends: draining, being told twice, and at once."""

from __future__ import annotations

import json
import signal
import socket
import time
import unittest
import urllib.error
import urllib.request

import rig
import wire
from wire import stack

LONG = {"drain": "60s"}
# What a stop that waits for nobody may take on a busy machine; far below LONG.
AT_ONCE_SECONDS = 20.0


def refuses(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
        return False
    except ConnectionResetError:
        return False  # it was in the queue of a port that closed
    except ConnectionRefusedError:
        return True


def readiness(admin: int) -> tuple[int, stack.Line]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{admin}/readyz", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, json.load(answer)


class Stop(rig.RigTest):
    def setUp(self) -> None:
        super().setUp()
        self.sim = self.provider()

    def with_tunnel(self, timeouts: stack.Line) -> tuple[rig.Gate, wire.Client]:
        gate = self.gate(f"http://{self.sim.http}", timeouts=timeouts)
        client = wire.tunnel(gate.ports["alpha"], "open.sim:7")
        self.addCleanup(client.close)
        return gate, client

    def assert_stops_at_once(self, gate: rig.Gate) -> None:
        started = time.monotonic()
        self.assertEqual(gate.wait(AT_ONCE_SECONDS), 0)
        self.assertLess(time.monotonic() - started, AT_ONCE_SECONDS)

    def test_without_tunnels_it_stops_at_once(self) -> None:
        gate = self.gate(f"http://{self.sim.http}", timeouts=LONG)
        gate.process.signal(signal.SIGTERM)
        self.assert_stops_at_once(gate)
        self.assertEqual(gate.process.err.whole(5)[-1]["event"], "stopped")

    def test_draining_closes_every_port_and_says_so_while_open_tunnels_go_on(self) -> None:
        gate, client = self.with_tunnel(LONG)
        self.assertEqual(readiness(gate.admin), (200, {"ready": True, "checks": {
            "ledger": "writable", "ports": "bound", f"http://{self.sim.http}": "up"}}))
        gate.process.signal(signal.SIGTERM)
        for port in gate.ports.values():
            wire.until(lambda: refuses(port), "a closed port")
        status, body = readiness(gate.admin)
        self.assertEqual((status, body["ready"], body["checks"]["ports"]), (503, False, "draining"))
        for _ in range(3):
            self.assertEqual(client.send(wire.pattern(100_000)).exactly(100_000), wire.pattern(100_000))
        self.assertEqual(gate.metric("chipgate_tunnels_open", chip="alpha"), 1)
        client.close()
        self.assert_stops_at_once(gate)
        self.assertEqual(gate.line("tunnel", target="open.sim:7")["ended"], "client_closed")

    def test_after_the_deadline_what_is_still_open_is_reset(self) -> None:
        gate, client = self.with_tunnel({"drain": "1s"})
        started = time.monotonic()
        gate.process.signal(signal.SIGTERM)
        self.assertEqual(client.rest(), (b"", "reset"))
        self.assertGreater(time.monotonic() - started, 0.9)
        self.assert_stops_at_once(gate)
        self.assertEqual(gate.line("tunnel", target="open.sim:7")["ended"], "draining")

    def test_a_person_at_the_terminal_does_not_wait(self) -> None:
        gate, client = self.with_tunnel(LONG)
        gate.process.signal(signal.SIGINT)
        self.assertEqual(client.rest(), (b"", "reset"))
        self.assert_stops_at_once(gate)

    def test_whoever_asks_twice_does_not_wait(self) -> None:
        for second in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(second):
                gate, client = self.with_tunnel(LONG)
                gate.process.signal(signal.SIGTERM)
                gate.line("draining")
                gate.process.signal(second)
                self.assertEqual(client.rest(), (b"", "reset"))
                self.assert_stops_at_once(gate)

    def test_a_client_whose_answer_is_under_way_gets_it(self) -> None:
        gate = self.gate(f"http://{self.sim.http}", timeouts=LONG)
        self.sim.fault("connect", "slow", delay_ms=1000)
        with wire.Client(gate.ports["alpha"]) as client:
            client.send(wire.connect_head("late.sim:7"))
            wire.until(lambda: gate.metric("chipgate_gateway_dials_total"), "the dial")
            gate.process.signal(signal.SIGTERM)
            self.assertEqual(client.head().status, 200)
            self.assertEqual(client.send(b"echo").exactly(4), b"echo")
        self.assert_stops_at_once(gate)

    def test_a_download_under_way_comes_whole_and_idle_connections_keep_nobody_waiting(self) -> None:
        gate = self.gate(f"http://{self.sim.http}", timeouts=LONG)
        size = 30_000_000
        with wire.Client(gate.ports["alpha"], receive_buffer=65536) as client, wire.Client(gate.ports["beta"]) as idle:
            self.assertEqual(idle.send(wire.get_head("http://origin.sim/")).answer().status, 200)
            client.send(wire.get_head(f"http://origin.sim/bytes/{size}"))
            self.assertEqual(client.head().status, 200)
            gate.process.signal(signal.SIGTERM)
            self.assertEqual(idle.rest(), (b"", "eof"))
            self.assertEqual(client.exactly(size), wire.pattern(size))
            self.assertEqual(client.rest(), (b"", "eof"))
        self.assert_stops_at_once(gate)


if __name__ == "__main__":
    unittest.main()
