#!/usr/bin/env python3
"""What chipgate says to the gateway byte by byte, and how it takes what a gateway may do with its connection."""

from __future__ import annotations

import unittest

import scripted
import wire
from wire import connect_head, get_head

FROM_CLIENT = wire.basic("the-client", "its own secret")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Upstream(scripted.ScriptedTest):
    def setUp(self) -> None:
        self.heard: list[str] = []
        self.port = self.ports["alpha"]

    def record(self, answer: bytes = OK, times: int = 1000) -> scripted.Script:
        """Keeps the heads of requests without bodies, and gives all of them one answer."""
        def script(client: wire.Client) -> None:
            for _ in range(times):
                self.heard.append(client.through(b"\r\n\r\n").decode())
                client.send(answer)
        return script

    def test_the_gateway_gets_a_connect_with_the_chips_credentials_and_nothing_else(self) -> None:
        self.gateway.script = self.record(b"HTTP/1.1 200 OK\r\n\r\n")
        lines = [f"Proxy-Authorization: {FROM_CLIENT}", "User-Agent: Mozilla", "Connection: close", "X-Anything: 1"]
        wire.tunnel(self.port, "Target.SIM:443", lines=tuple(lines)).close()
        self.assertEqual(self.heard, ["CONNECT target.sim:443 HTTP/1.1\r\nHost: target.sim:443\r\n"
                                      f"Proxy-Authorization: {self.authorization}\r\n\r\n"])

    def test_a_plain_request_loses_what_was_said_to_the_proxy_only(self) -> None:
        self.gateway.script = self.record()
        kept = ["User-Agent: test", "Accept: */*", "Cookie: a=b", "Authorization: Basic b3JpZ2lu", "X-Two: 1", "X-Two: 2"]
        dropped = ["Connection: keep-alive, X-Private", "X-Private: 1", "Proxy-Connection: keep-alive",
                   "Keep-Alive: timeout=5", "TE: trailers", "Upgrade: websocket",
                   f"Proxy-Authorization: {FROM_CLIENT}", f"proxy-authorization: {FROM_CLIENT}"]
        with wire.Client(self.port) as client:
            client.send(get_head("http://target.sim/path?query", *kept[:3], *dropped, *kept[3:])).answer()
        self.assertEqual(self.heard[0].split("\r\n"),
                         ["GET http://target.sim/path?query HTTP/1.1", "Host: target.sim",
                          f"Proxy-Authorization: {self.authorization}", *kept, "", ""])

    def test_an_answer_loses_what_the_gateway_said_to_its_client_only(self) -> None:
        self.gateway.script = self.record(b"HTTP/1.1 404 Not here\r\nConnection: keep-alive, X-Private\r\nX-Private: 1\r\n"
                                          b"Keep-Alive: timeout=5\r\nProxy-Authenticate: Basic\r\nETag: x\r\n"
                                          b"Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 2\r\n\r\nno")
        with wire.Client(self.port) as client:
            answer = client.send(get_head("http://target.sim/")).answer()
        self.assertEqual((answer.status, answer.reason, answer.body), (404, "Not here", b"no"))
        self.assertEqual(answer.headers, [("etag", "x"), ("set-cookie", "a=1"), ("set-cookie", "b=2"),
                                          ("content-length", "2"), ("connection", "keep-alive")])

    def test_a_kept_connection_is_used_again_and_replaced_once_the_gateway_has_closed_it(self) -> None:
        before = self.gateway.accepted
        for reset in (False, True):
            self.gateway.script = self.record(times=2) if not reset else self.twice_then_reset
            with self.subTest(reset=reset), wire.Client(self.port) as client:
                for _ in range(5):
                    self.assertEqual(client.send(get_head("http://target.sim/")).answer().body, b"ok")
                self.assertEqual(self.gateway.accepted - before, 3)
            before = self.gateway.accepted

    def twice_then_reset(self, client: wire.Client) -> None:
        self.record(times=2)(client)
        client.reset()

    def test_a_request_that_met_the_close_of_a_kept_connection_is_sent_once_more(self) -> None:
        """The gateway closes in the very moment in which the connection is used again."""
        def script(client: wire.Client) -> None:
            self.record(times=1)(client)
            self.heard.append(client.through(b"\r\n\r\n").decode())
        self.gateway.script = script
        with wire.Client(self.port) as client:
            for _ in range(3):
                self.assertEqual(client.send(get_head("http://target.sim/")).answer().body, b"ok")
        self.assertEqual(len(self.heard), 5)

    def test_a_request_that_may_have_been_acted_on_is_never_sent_twice(self) -> None:
        """RFC 9110 section 9.2.2: a proxy must not repeat what is not idempotent."""
        def script(client: wire.Client) -> None:
            self.record(times=1)(client)
            self.heard.append(client.through(b"\r\n\r\n").decode())
        self.gateway.script = script
        with wire.Client(self.port) as client:
            client.send(get_head("http://target.sim/")).answer()
            answer = client.send(get_head("http://target.sim/pay", "Content-Length: 0", method="POST")).answer()
        posts = [head for head in self.heard if head.startswith("POST")]
        self.assertEqual(len(posts), 1)
        self.assertIn(answer.status, (200, 502))

    def test_an_upload_that_waits_to_be_asked_for_is_asked_for(self) -> None:
        def script(client: wire.Client) -> None:
            self.heard.append(client.through(b"\r\n\r\n").decode())
            client.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.heard.append(client.exactly(5).decode())
            client.send(OK)
            self.record()(client)
        self.gateway.script = script
        with wire.Client(self.port) as client:
            client.send(get_head("http://target.sim/", "Expect: 100-continue", "Content-Length: 5", method="PUT"))
            self.assertEqual(client.head().status, 100)
            self.assertEqual(client.send(b"12345").answer().body, b"ok")
            self.assertEqual(client.send(get_head("http://target.sim/")).answer().body, b"ok")
        self.assertIn("Expect: 100-continue", self.heard[0])
        self.assertEqual(self.heard[1], "12345")

    def test_a_client_of_http_1_0_gets_no_interim_answer_and_its_version_goes_on(self) -> None:
        """It knows neither interim answers nor chunks."""
        self.gateway.script = self.record(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK)
        with wire.Client(self.port) as client:
            answer = client.send(b"GET http://target.sim/ HTTP/1.0\r\n\r\n").answer()
        self.assertEqual((answer.status, answer.body), (200, b"ok"))
        self.assertTrue(self.heard[0].startswith("GET http://target.sim/ HTTP/1.0\r\nHost: target.sim\r\n"))

    def test_an_origin_may_answer_before_the_upload_is_through(self) -> None:
        def script(client: wire.Client) -> None:
            client.through(b"\r\n\r\n")
            client.send(b"HTTP/1.1 413 Too much\r\nContent-Length: 3\r\n\r\nno!")
            client.rest()
        self.gateway.script = script
        with wire.Client(self.port) as client:
            sender = client.send_in_background(
                get_head("http://target.sim/", "Content-Length: 100000000", method="POST") + bytes(1000))
            answer = client.answer()
            sender.join()
            self.assertEqual((answer.status, answer.body), (413, b"no!"))

    def test_an_answer_without_a_length_ends_with_its_connection(self) -> None:
        def script(client: wire.Client) -> None:
            client.through(b"\r\n\r\n")
            client.send(b"HTTP/1.1 200 OK\r\n\r\n" + wire.pattern(100_000))
        self.gateway.script = script
        with wire.Client(self.port) as client:
            answer = client.send(get_head("http://target.sim/")).answer()
            self.assertEqual((answer.get("connection"), answer.body), ("close", wire.pattern(100_000)))

    def test_an_answer_that_breaks_off_is_never_taken_for_a_whole_one(self) -> None:
        for name, head in (("length", b"Content-Length: 1000"), ("chunks", b"Transfer-Encoding: chunked")):
            def script(client: wire.Client, head: bytes = head) -> None:
                client.through(b"\r\n\r\n")
                client.send(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n5\r\nhello\r\n")
            self.gateway.script = script
            with self.subTest(name), wire.Client(self.port) as client:
                client.send(get_head("http://target.sim/")).head()
                self.assertEqual(client.rest()[1], "reset")

    def test_interim_answers_before_the_200_are_waited_through(self) -> None:
        def script(client: wire.Client) -> None:
            client.through(b"\r\n\r\n")
            client.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 200\r\n\r\nbehind")
        self.gateway.script = script
        with wire.tunnel(self.port, "target.sim:443") as client:
            self.assertEqual(client.rest(), (b"behind", "eof"))

    def test_every_2xx_opens_the_tunnel(self) -> None:
        for status in (200, 201, 204, 299):
            self.gateway.script = self.record(b"HTTP/1.0 %d\r\nContent-Length: 7\r\n\r\n" % status)
            with self.subTest(status), wire.Client(self.port) as client:
                self.assertEqual(client.send(connect_head("target.sim:443")).head().status, 200)


if __name__ == "__main__":
    unittest.main(verbosity=2)
