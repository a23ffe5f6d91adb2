#!/usr/bin/env python3
"""Clients that are waiting when chipgate stops are told like any other, and at once; those that leave are let go."""

from __future__ import annotations

import signal
import unittest

import asking
import rig
import wire
from asking import BROWSER, ESTABLISHED, GRANTED4, GRANTED5, NODE, PLAIN, SOCKS4, SOCKS5

Ending = tuple[bytes, str]


class CalledOff(rig.RigTest):
    def setUp(self) -> None:
        super().setUp()
        self.sim = self.provider()
        self.sim.fault("connect", "silence")

    def waiting(self, gate: rig.Gate, kind: str) -> wire.Client:
        """Its gateway connection is asked, and says nothing."""
        dials = gate.metric("chipgate_gateway_dials_total")
        client = wire.Client(gate.ports["alpha"])
        self.addCleanup(client.close)
        client.send(asking.request(kind, f"{kind}.sim"))
        if kind == SOCKS5:
            self.assertEqual(client.exactly(2), b"\x05\x00")
        wire.until(lambda: gate.metric("chipgate_gateway_dials_total") > dials, "its dial")
        return client

    def told(self, kinds: tuple[str, ...], **settings: object) -> dict[str, Ending]:
        """All that each of them hears once chipgate is told to stop."""
        gate = self.gate(f"http://{self.sim.http}", **settings)
        clients = {kind: self.waiting(gate, kind) for kind in kinds}
        gate.process.signal(signal.SIGINT)
        heard = {kind: client.rest() for kind, client in clients.items()}
        self.assertEqual(gate.wait(), 0)
        return heard

    def assert_status(self, heard: Ending) -> None:
        answer = asking.Heard(*heard, 0).answer()
        self.assertEqual((answer.status, answer.get("x-chipgate-error"), heard[1]), (503, "draining", "eof"))
        self.assertEqual(answer.get("content-length"), str(len(answer.body)))

    def test_each_is_told_in_the_form_that_it_takes_best(self) -> None:
        heard = self.told((SOCKS5, SOCKS4, NODE, BROWSER))
        self.assertEqual(heard[SOCKS5], (GRANTED5, "reset"))
        self.assertEqual(heard[SOCKS4], (GRANTED4, "reset"))
        self.assertEqual(heard[NODE], (b"", "reset"))
        self.assert_status(heard[BROWSER])

    def test_a_plain_request_is_told_by_a_status(self) -> None:
        self.sim.fault("accept", "silence")
        self.assert_status(self.told((PLAIN,))[PLAIN])

    def test_behind_a_userland_proxy_node_is_reset_behind_a_200(self) -> None:
        heard = self.told((NODE,), listen={"behind_userland_proxy": True})
        self.assertEqual(heard[NODE], (ESTABLISHED, "reset"))

    def test_whoever_has_asked_for_nothing_gets_no_answer(self) -> None:
        gate = self.gate(f"http://{self.sim.http}", listen={"behind_userland_proxy": True})
        with wire.Client(gate.ports["alpha"]) as silent, wire.Client(gate.ports["alpha"]) as kept:
            self.sim.clear()
            self.assertEqual(kept.send(wire.get_head("http://kept.sim/")).answer().status, 200)
            wire.until(lambda: gate.metric("chipgate_handshakes") == 2, "both are there")
            gate.process.signal(signal.SIGINT)
            self.assertEqual((silent.rest()[0], kept.rest()[0]), (b"", b""))
            self.assertEqual(gate.wait(), 0)


class Leaving(wire.WireTest):
    """Node's destroy() sends a FIN, and a chip's places are few."""

    def setUp(self) -> None:
        self.addCleanup(self.provider.clear)

    def test_a_client_that_ends_its_side_before_its_answer_is_gone(self) -> None:
        for kind in (NODE, SOCKS5, SOCKS4):
            host = f"leaving-{kind}.sim"
            self.provider.fault("connect", "silence", target=host)
            with self.subTest(kind), wire.Client(self.ports["alpha"]) as client:
                client.send(asking.request(kind, host)).finish()
                self.line("refused", f"{host}:443", ended="client_gone")

    def test_one_that_has_said_all_it_wants_to_say_gets_its_tunnel(self) -> None:
        with wire.Client(self.ports["alpha"]) as client:
            client.send(wire.connect_head("staying.sim:7") + b"all of it").finish()
            self.assertEqual(client.head().status, 200)
            self.assertEqual(client.rest(), (b"all of it", "eof"))


class HostileTargets(wire.WireTest):
    """A complete SOCKS request wants the answer to a request, whatever its target is."""

    def test_a_target_that_is_none_is_refused_in_the_form_of_a_request(self) -> None:
        for kind, head, granted in ((SOCKS5, wire.GREETING + wire.socks5_head("no host", 443), GRANTED5),
                                    (SOCKS4, wire.socks4_head("no host", 443), GRANTED4)):
            with self.subTest(kind), wire.Client(self.ports["alpha"]) as client:
                client.send(head)
                if kind == SOCKS5:
                    client.exactly(2)
                self.assertEqual(client.rest(), (granted, "reset"))
        self.assertEqual(
            self.metric("chipgate_refusals_total", chip="alpha", reason="malformed_request"), 2)


if __name__ == "__main__":
    unittest.main(verbosity=2)
