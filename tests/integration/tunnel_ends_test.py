#!/usr/bin/env python3
"""How tunnels end: what the other side sees, what the metrics count, and what the one line in the log says."""

from __future__ import annotations

import socket
import unittest

import wire
from wire import stack, tunnel

STAGES = ("head_seconds", "connect_seconds", "reply_seconds", "open_seconds")


class EndsTest(wire.WireTest):
    def setUp(self) -> None:
        self.addCleanup(self.provider.clear)

    def opened(self, target: str) -> wire.Client:
        """A tunnel to the echo that has carried four bytes each way, of which nothing is unacknowledged."""
        client = tunnel(self.ports["alpha"], target)
        self.addCleanup(client.close)
        self.assertEqual(client.send(b"ping").exactly(4), b"ping")
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        return client

    def ended(self, target: str, how: str, fault: str, up: int = 0, down: int = 0) -> stack.Line:
        """The tunnel's line is there once and complete, and its end is counted."""
        line = self.line("tunnel", target)
        self.assertEqual((line["ended"], line["fault"]), (how, fault))
        self.assertEqual((line["bytes_up"], line["bytes_down"]), (up, down))
        self.assertEqual((line["chip"], line["protocol"], line["level"]), ("alpha", "connect", "info"))
        self.assertTrue(line["session"].startswith("chip-alpha-"))
        self.assertTrue(line["endpoint"].endswith(self.sim["http"]))
        for stage in STAGES:
            self.assertGreater(line[stage], 0)
        self.assertEqual(len([one for one in self.gate.err.all() if one.get("target") == target]), 1)
        self.assertGreaterEqual(self.metric("chipgate_tunnels_closed_total", chip="alpha", reason=how), 1)
        return line

    def origin_sees(self, target: str, event: str) -> None:
        wire.until(lambda: event in [entry["event"] for entry in self.provider.seen(target)], f"{event} at the origin")


class Ends(EndsTest):
    def session(self) -> str:
        assigned = lambda line: line.get("event") == "assigned" and line["chip"] == "alpha"  # noqa: E731
        return self.gate.require(self.gate.err, assigned, "the session")["session"]

    def test_the_client_closes(self) -> None:
        self.opened("closes.sim:7").close()
        self.ended("closes.sim:7", "client_closed", "nobody", 4, 4)
        self.origin_sees("closes.sim:7", "eof")

    def test_the_client_resets_and_the_origin_sees_a_reset(self) -> None:
        self.opened("resets.sim:7").reset()
        self.ended("resets.sim:7", "client_reset", "client", 4, 4)
        self.origin_sees("resets.sim:7", "reset")

    def test_the_gateway_closes(self) -> None:
        self.provider.fault("tunnel", "cut", how="fin", after_bytes=8, target="gatefin.sim")
        client = self.opened("gatefin.sim:7")
        self.assertEqual(client.rest(), (b"", "eof"))
        client.close()
        self.ended("gatefin.sim:7", "upstream_closed", "nobody", 4, 4)

    def test_the_gateway_resets_and_the_client_sees_a_reset(self) -> None:
        client = self.opened("gaterst.sim:7")
        self.provider.cut(self.session(), "rst")
        self.assertEqual(client.rest(), (b"", "reset"))
        self.ended("gaterst.sim:7", "upstream_reset", "gateway", 4, 4)

    def test_bytes_on_their_way_survive_a_reset_of_the_gateway(self) -> None:
        """What chipgate has read is delivered, whatever becomes of the connection it came by."""
        self.provider.fault("tunnel", "cut", how="fin", after_bytes=50_000, target="1000000.source.sim")
        with tunnel(self.ports["alpha"], "1000000.source.sim:19") as client:
            self.assertEqual(client.rest(), (wire.pattern(50_000), "eof"))

    def test_an_origin_that_ends_first_is_the_one_who_closed(self) -> None:
        with tunnel(self.ports["alpha"], "5.source.sim:19") as client:
            self.assertEqual(client.rest(), (b"\0\1\2\3\4", "eof"))
        self.ended("5.source.sim:19", "upstream_closed", "nobody", 0, 5)

    def test_open_tunnels_are_counted_until_they_end(self) -> None:
        count = lambda: self.metric("chipgate_tunnels_open", chip="beta")  # noqa: E731
        opened = self.metric("chipgate_tunnels_opened_total", chip="beta")
        clients = [tunnel(self.ports["beta"], "several.sim:7") for _ in range(5)]
        wire.until(lambda: count() == 5, "five are open")
        self.assertEqual(self.metric("chipgate_tunnels_opened_total", chip="beta"), opened + 5)
        for number, client in enumerate(clients):
            client.close()
            wire.until(lambda left=4 - number: count() == left, "one less is open")
        self.assertEqual(self.metric("chipgate_tunnels_closed_total", chip="beta", reason="client_closed"), 5)


class Timeouts(EndsTest):
    @classmethod
    def settings(cls) -> stack.Line:
        return {"timeouts": {"drain": "0s", "idle": "2s", "half_closed": "1s", "first_reply": "1s"}}

    def test_a_tunnel_without_a_byte_for_the_idle_timeout_is_reset(self) -> None:
        client = self.opened("idle.sim:7")
        self.assertEqual(client.rest(), (b"", "reset"))
        line = self.ended("idle.sim:7", "idle_timeout", "nobody", 4, 4)
        self.assertGreaterEqual(line["open_seconds"], 2)
        self.origin_sees("idle.sim:7", "reset")

    def test_a_tunnel_that_only_waits_is_not_asked_for_a_first_reply(self) -> None:
        with tunnel(self.ports["alpha"], "waits.sim:7") as client:
            self.assertEqual(client.rest(), (b"", "reset"))
        self.ended("waits.sim:7", "idle_timeout", "nobody")

    def test_a_half_closed_tunnel_that_is_quiet_is_reset(self) -> None:
        self.provider.fault("tunnel", "blackhole", after_bytes=8, target="halfquiet.sim")
        client = self.opened("halfquiet.sim:7").finish()
        self.assertEqual(client.rest(), (b"", "reset"))
        self.ended("halfquiet.sim:7", "half_closed_timeout", "nobody", 4, 4)

    def test_a_half_closed_tunnel_that_moves_bytes_goes_on(self) -> None:
        """300 KB at 150 KB/s last longer than the half-closed limit."""
        self.provider.fault("tunnel", "throttle", bytes_per_second=150_000, target="300000.source.sim")
        with tunnel(self.ports["alpha"], "300000.source.sim:19") as client:
            client.finish()
            self.assertEqual(client.rest(), (wire.pattern(300_000), "eof"))

    def test_a_tunnel_whose_client_spoke_into_silence_is_reset(self) -> None:
        self.provider.fault("tunnel", "blackhole", target="deaf.sim")
        for name, early in (("deaf.sim:7", b""), ("deaf.sim:77", b"early")):
            with self.subTest(name), tunnel(self.ports["alpha"], name, early) as client:
                if not early:
                    client.send(b"hello")
                self.assertEqual(client.rest(), (b"", "reset"))
                self.ended(name, "first_reply_timeout", "provider", 5)


if __name__ == "__main__":
    unittest.main(verbosity=2)
