#!/usr/bin/env python3
"""Plain requests that are rare: other methods, other protocols behind them, bodies that stop."""

from __future__ import annotations

import time
import unittest

import scripted
import wire
from wire import get_head

# Until it is under way.
FLOOD_SECONDS = 0.2
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Methods(scripted.ScriptedTest):
    def setUp(self) -> None:
        self.port = self.ports["alpha"]
        self.heard: list[str] = []
        self.gateway.script = self.script

    def script(self, client: wire.Client) -> None:
        while True:
            self.heard.append(client.through(b"\r\n\r\n").decode())
            client.send(OK)

    def test_trace_is_refused_since_its_answer_would_repeat_the_credentials(self) -> None:
        with wire.Client(self.port) as client:
            answer = client.send(get_head("http://trace.sim/", method="TRACE")).answer()
        self.assertEqual((answer.status, answer.get("x-chipgate-error")), (400, "malformed_request"))
        self.assertEqual(self.heard, [])

    def test_options_that_may_go_no_further_is_answered_here(self) -> None:
        with wire.Client(self.port) as client:
            answer = client.send(get_head("http://last.sim/", "Max-Forwards: 0", method="OPTIONS")).answer()
            self.assertEqual((answer.status, answer.body), (200, b""))
            self.assertIn("GET", answer.get("allow") or "")
        self.assertEqual(self.heard, [])

    def test_a_refused_head_has_no_body(self) -> None:
        with wire.Client(self.port) as client:
            client.send(b"HEAD https://clear.sim/ HTTP/1.1\r\n\r\n")
            answer = client.answer("HEAD")
            self.assertEqual((answer.status, client.rest()), (400, (b"", "eof")))
            self.assertGreater(int(answer.get("content-length") or 0), 0)

    def test_an_empty_line_behind_a_body_is_no_request(self) -> None:
        """RFC 9112 section 2.2. A 400 to it would be taken for the answer to the next one."""
        post = get_head("http://post.sim/", "Content-Length: 2", method="POST") + b"hi"
        with wire.Client(self.port) as client:
            for behind in (b"\r\n", b"\r\n\r\n", b""):
                self.assertEqual(client.send(post + behind).answer().body, b"ok")
            client.send(b"\r")
            self.assertEqual(client.send(b"\n" + get_head("http://get.sim/")).answer().body, b"ok")
        self.assertEqual(len(self.heard), 4, self.heard)

    def test_empty_lines_without_end_are_no_use_of_a_connection(self) -> None:
        with wire.Client(self.port) as client:
            client.send(get_head("http://lines.sim/")).answer()
            client.send(b"\r\n" * 512 + get_head("http://lines.sim/")).answer()
            client.send(b"\r\n" * 513)
            self.assertIn(client.rest(), ((b"", "eof"), (b"", "reset")))

    def test_options_that_may_go_on_loses_one_hop(self) -> None:
        with wire.Client(self.port) as client:
            client.send(get_head("http://next.sim/x", "Max-Forwards: 3", method="OPTIONS")).answer()
        self.assertIn("\r\nMax-Forwards: 2\r\n", self.heard[0])


class EmptyLines(scripted.ScriptedTest):
    chips = ["alpha", "beta"]
    settings = {"timeouts": {"drain": "0s"}, "workers": 1}

    def test_a_flood_of_them_holds_up_no_other_chip(self) -> None:
        self.gateway.script = lambda client: (client.through(b"\r\n\r\n"), client.send(OK), client.rest())
        floods = [wire.Client(self.ports["alpha"]) for _ in range(4)]
        for flooder in floods:
            self.addCleanup(flooder.close)
            flooder.send(get_head("http://flood.sim/")).answer()
        # More than the kernel's buffers hold, so that it is still being sent when the other one asks.
        lines = b"\r\n" * (32 << 20)
        senders = [flooder.send_in_background(lines) for flooder in floods]
        time.sleep(FLOOD_SECONDS)
        with wire.Client(self.ports["beta"]) as other:
            self.assertEqual(other.send(get_head("http://served.sim/")).answer().body, b"ok")
        for flooder, sender in zip(floods, senders):
            sender.join(wire.stack.ANSWER_SECONDS)
            self.assertIn(flooder.rest(), ((b"", "eof"), (b"", "reset")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
