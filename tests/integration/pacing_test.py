#!/usr/bin/env python3
"""Clients reconnect at once and without back-off, so a chip's refusals come later and later until one succeeds."""

from __future__ import annotations

import concurrent.futures
import functools
import time
import unittest

import asking
import wire
from asking import NODE, SOCKS5

STORM_SECONDS = 7.5


class Pacing(wire.WireTest):
    chips = ["storm", "crowd", "overfull", "leaver", "shouter", "resetter", "keeper", "slowed", "healthy"]

    def setUp(self) -> None:
        self.provider.fault("connect", "status", status=503, target="down.sim")
        self.addCleanup(self.provider.clear)

    def test_a_storm_of_reconnects_is_slowed_down_until_one_succeeds(self) -> None:
        """1, 2 and 4 s make three refusals of an eager client in 7 s; the next would take 8 s."""
        port, deadline = self.ports["storm"], time.monotonic() + STORM_SECONDS
        waits = []
        while time.monotonic() < deadline and len(waits) < 3:
            waits.append(asking.ask(port, NODE, "down.sim").seconds)
        self.assertGreaterEqual(waits[0], 0.9)
        self.assertGreater(waits[-1], waits[0])
        self.assertLess(self.metric("chipgate_refusals_total", chip="storm", reason="provider_no_exit"), 5)
        wire.tunnel(port, "up.sim:7").close()
        self.assertLess(asking.ask(port, NODE, "down.sim").seconds, 6)

    def test_many_clients_at_once_are_all_told_and_none_at_once(self) -> None:
        port = self.ports["crowd"]
        heard = asking.all_at_once([functools.partial(asking.ask, port, NODE, "down.sim")] * 20)
        for one in heard:
            self.assertEqual((one.data, one.how), (b"", "reset"))
            self.assertGreaterEqual(one.seconds, 0.9)
            self.assertLess(one.seconds, wire.stack.ANSWER_SECONDS)

    def test_more_clients_than_may_wait_are_told_without_waiting(self) -> None:
        """Waiting costs memory, and the places are 32."""
        port = self.ports["overfull"]
        heard = asking.all_at_once([functools.partial(asking.ask, port, SOCKS5, "down.sim")] * 60)
        self.assertEqual({(one.data, one.how) for one in heard}, {(asking.GRANTED5, "reset")})
        self.assertGreaterEqual(sum(one.seconds >= 0.9 for one in heard), 32)
        self.assertEqual(self.metric("chipgate_refusals_total", chip="overfull", reason="provider_no_exit"), 60)

    def test_a_client_that_leaves_meanwhile_is_not_waited_for(self) -> None:
        port = self.ports["leaver"]
        for reset in (False, True):
            refused = lambda: self.metric("chipgate_refusals_total", chip="leaver", reason="provider_no_exit")  # noqa: E731
            before = refused()
            clients = [wire.Client(port).send(asking.request(NODE, "down.sim")) for _ in range(10)]
            wire.until(lambda: refused() == before + 10, "they wait")
            self.assertEqual(self.metric("chipgate_clients_held", chip="leaver"), 0, "for no assignment")
            for client in clients:
                client.reset() if reset else client.close()
            wire.until(lambda: self.metric("chipgate_handshakes") == 0, "nobody is left")

    def test_a_client_at_fault_itself_is_told_at_once(self) -> None:
        """Its author is looking at it; and nobody reconnects for ever to a port that says 400."""
        began = time.monotonic()
        for _ in range(20):
            with wire.Client(self.ports["shouter"]) as client:
                self.assertEqual(client.send(b"GET / HTTP/1.1\r\n\r\n").answer().status, 400)
        self.assertLess(time.monotonic() - began, wire.stack.ANSWER_SECONDS)

    def test_a_reset_is_slowed_down_whoever_is_at_fault(self) -> None:
        """It tells nobody anything, and its client reconnects at once and for ever."""
        request = wire.GREETING + wire.socks5_head("no host", 443)
        began = time.monotonic()
        for _ in range(2):
            with wire.Client(self.ports["resetter"]) as client:
                client.send(request).exactly(2)
                self.assertEqual(client.rest(), (asking.GRANTED5, "reset"))
        self.assertGreaterEqual(time.monotonic() - began, 2.9)

    def test_a_request_on_a_kept_connection_is_paced_from_its_own_start(self) -> None:
        self.provider.fault("connect", "status", status=407, target="kept-away.sim")
        with wire.Client(self.ports["keeper"]) as client:
            self.assertEqual(client.send(wire.get_head("http://up.sim/delay/1200")).answer().status, 200)
            began = time.monotonic()
            self.assertEqual(client.send(wire.get_head("http://kept-away.sim/")).answer().status, 502)
            self.assertGreaterEqual(time.monotonic() - began, 0.9)

    def test_one_chips_refusals_slow_no_other_chip(self) -> None:
        """While one chip's third refusal takes 4 s, the first of another takes its 1 s."""
        port, other = self.ports["slowed"], self.ports["healthy"]
        refused = lambda: self.metric("chipgate_refusals_total", chip="slowed", reason="provider_no_exit")  # noqa: E731
        for _ in range(2):
            asking.ask(port, NODE, "down.sim")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            third = pool.submit(asking.ask, port, NODE, "down.sim")
            wire.until(lambda: refused() == 3, "it waits for its refusal")
            first = asking.ask(other, NODE, "down.sim")
            self.assertFalse(third.done())
            for number in range(20):
                wire.tunnel(other, f"healthy{number}.sim:7").close()
            self.assertGreater(third.result().seconds, first.seconds + 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
