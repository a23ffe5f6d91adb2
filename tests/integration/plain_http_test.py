#!/usr/bin/env python3
"""Plain HTTP: absolute-form requests, one after the other on a client's connection, with bodies of every framing."""

from __future__ import annotations

import unittest

import rig
import wire
from wire import get_head, pattern

MEGABYTE = 1024 * 1024


class PlainHttp(wire.WireTest):
    def setUp(self) -> None:
        self.client = wire.Client(self.ports["alpha"])
        self.addCleanup(self.client.close)

    def asks(self, url: str, *lines: str, method: str = "GET") -> wire.Answer:
        return self.client.send(get_head(url, *lines, method=method)).answer(method)

    def test_one_connection_carries_requests_to_several_hosts(self) -> None:
        exits = set()
        for host in ("one.sim", "two.sim", "one.sim", "three.sim:8080", "two.sim"):
            answer = self.asks(f"http://{host}/")
            self.assertEqual((answer.status, answer.get("connection")), (200, "keep-alive"))
            exits.add(answer.body)
        self.assertEqual(len(exits), 1)
        self.assertEqual(self.provider.seen("three.sim:8080")[0]["event"], "opened")

    def test_the_origin_sees_its_own_host_whatever_the_client_called_it(self) -> None:
        head = b"GET http://real.sim/headers HTTP/1.1\r\nHost: other.sim\r\nUser-Agent: test\r\n\r\n"
        seen = self.client.send(head).answer().body.decode().split("\r\n")
        self.assertEqual(seen, ["GET /headers HTTP/1.1", "Host: real.sim", "User-Agent: test", "", ""])

    def test_a_body_of_a_megabyte_arrives_by_length_and_by_chunks(self) -> None:
        body = pattern(MEGABYTE)
        for _ in range(2):  # the connection is of use afterwards
            sender = self.client.send_in_background(
                get_head("http://post.sim/", f"Content-Length: {MEGABYTE}", method="POST") + body)
            self.assertEqual(self.client.answer().body, b"%d\n" % MEGABYTE)
            sender.join()
            chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in pieces(body, 10_000)) + b"0\r\n\r\n"
            sender = self.client.send_in_background(
                get_head("http://post.sim/", "Transfer-Encoding: chunked", method="POST") + chunks)
            # The simulator counts what stands on the wire, the chunks' own lines too.
            self.assertEqual(self.client.answer().body, b"%d\n" % len(chunks))
            sender.join()

    def test_the_answer_to_head_has_a_length_and_no_body(self) -> None:
        answer = self.asks("http://head.sim/bytes/1000", method="HEAD")
        self.assertEqual((answer.status, answer.get("content-length")), (200, "1000"))
        self.assertEqual(self.asks("http://head.sim/bytes/10").body, pattern(10))

    def test_answers_of_every_framing_and_size_come_whole(self) -> None:
        self.assertEqual(self.asks("http://frames.sim/chunked/100").body, b"one chunk of several\n" * 100)
        self.assertEqual(self.asks("http://frames.sim/bytes/0").body, b"")
        self.assertEqual(self.asks(f"http://frames.sim/bytes/{5 * MEGABYTE}").body, pattern(5 * MEGABYTE))
        self.assertEqual(self.asks("http://frames.sim/nowhere/else").status, 200)

    def test_a_client_that_says_close_is_closed_after_its_answer(self) -> None:
        for line in ("Connection: close", "Proxy-Connection: close"):
            with self.subTest(line), wire.Client(self.ports["alpha"]) as client:
                answer = client.send(get_head("http://closes.sim/", line)).answer()
                self.assertEqual((answer.status, answer.get("connection")), (200, "close"))
                self.assertEqual(client.rest(), (b"", "eof"))

    def test_a_client_of_http_1_0_is_closed_unless_it_asks_to_be_kept(self) -> None:
        self.client.send(b"GET http://old.sim/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        self.assertEqual(self.client.answer().get("connection"), "keep-alive")
        self.client.send(b"GET http://old.sim/ HTTP/1.0\r\n\r\n")
        self.assertEqual(self.client.answer().get("connection"), "close")
        self.assertEqual(self.client.rest(), (b"", "eof"))

    def test_requests_may_be_sent_before_their_predecessors_are_answered(self) -> None:
        heads = [get_head(f"http://pipe{n % 3}.sim/bytes/{n}") for n in range(20)]
        post = get_head("http://pipe0.sim/", "Content-Length: 3", method="POST") + b"abc"
        self.client.send(b"".join(heads[:10]) + post + b"".join(heads[10:]))
        bodies = [self.client.answer().body for _ in range(21)]
        self.assertEqual(bodies, [pattern(n) for n in range(10)] + [b"3\n"] + [pattern(n) for n in range(10, 20)])

    def test_a_request_may_come_byte_by_byte(self) -> None:
        head = get_head("http://bytewise.sim/", "Content-Length: 4", "Connection: keep-alive", method="POST")
        for _ in range(2):
            self.client.send_each_byte(head + b"body")
            self.assertEqual(self.client.answer().body, b"4\n")

    def test_a_connection_that_carried_a_request_may_become_a_tunnel(self) -> None:
        """RFC 9110 section 9.3.6 says nothing of a connection of its own."""
        self.assertEqual(self.asks("http://first.sim/").status, 200)
        self.client.send(wire.connect_head("then.sim:7") + b"early")
        self.assertEqual(self.client.head().status, 200)
        self.assertEqual(self.client.exactly(5), b"early")
        self.client.close()
        line = self.line("tunnel", "then.sim:7")
        self.assertEqual((line["protocol"], line["ended"]), ("connect", "client_closed"))

    def test_a_connect_behind_a_request_is_refused_like_any_other(self) -> None:
        self.assertEqual(self.asks("http://first.sim/").status, 200)
        self.client.send(wire.connect_head("nohost", "User-Agent: curl/8"))
        answer = self.client.answer()
        self.assertEqual((answer.status, answer.get("x-chipgate-error")), (400, "malformed_request"))

    def test_a_client_that_ends_its_side_gets_its_answer(self) -> None:
        self.client.send(get_head("http://halfway.sim/delay/100")).finish()
        self.assertEqual(self.client.answer().status, 200)
        self.assertEqual(self.client.rest(), (b"", "eof"))

    def test_every_line_tells_the_stages_of_its_own_request(self) -> None:
        for n in range(2):
            self.asks(f"http://staged{n}.sim/")
        first, second = (self.line("tunnel", f"staged{n}.sim:80") for n in range(2))
        self.assertGreater(first["connect_seconds"], 0)
        self.assertNotIn("connect_seconds", second, "the gateway connection was kept")
        self.assertGreater(second["head_seconds"], 0)
        self.assertNotEqual(first["head_seconds"], second["head_seconds"])

    def test_every_request_has_its_line_and_its_bytes_are_counted(self) -> None:
        port = self.ports["beta"]
        with wire.Client(port) as client:
            for n in range(3):
                client.send(get_head(f"http://counted{n}.sim/bytes/1000")).answer()
        for n in range(3):
            line = self.line("tunnel", f"counted{n}.sim:80", protocol="http", ended="completed")
            self.assertGreater(line["bytes_down"], 1000)
            self.assertEqual((line["chip"], line["fault"]), ("beta", "nobody"))
        self.assertGreater(self.metric("chipgate_tunnel_bytes_total", chip="beta", direction="down"), 3000)


class KeptGatewayConnection(rig.RigTest):
    def test_one_gateway_connection_of_any_kind_serves_a_clients_requests(self) -> None:
        sim = self.provider()
        trust = {"tls": {"ca_file": str(self.folder / "sim-ca.pem")}}
        for endpoint in (f"http://{sim.http}", f"https://{sim.https}", f"socks5://{sim.socks5}"):
            gate = self.gate(endpoint, ["alpha"], trust)
            before = sim.stats()["accepted"]
            with self.subTest(endpoint), wire.Client(gate.ports["alpha"]) as client:
                for _ in range(5):
                    self.assertEqual(client.send(get_head("http://kept.sim/")).answer().status, 200)
                self.assertEqual(sim.stats()["accepted"] - before, 1)


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[start:start + size] for start in range(0, len(data), size)]


if __name__ == "__main__":
    unittest.main(verbosity=2)
