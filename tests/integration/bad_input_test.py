#!/usr/bin/env python3
"""Requests that are none: each is refused at once and told why, counted by its reason, and leaves nothing behind."""

from __future__ import annotations

import unittest

import wire
from wire import GREETING, socks4_head, socks5_head, stack

TLS_HELLO = bytes.fromhex("16030100f8010000f40303") + bytes(200)

# What is sent, and the reason; all of it is answered by an HTTP status, since its author has to read it.
HTTP = {
    "nothing but a NUL": (b"\0", "malformed_request"),
    "NULs": (bytes(3000), "malformed_request"),
    "TLS to a plain port": (TLS_HELLO, "malformed_request"),
    "TLS 1.3 to a plain port": (b"\x16\x03\x01" + b"\xff" * 300, "malformed_request"),
    "SSH": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "malformed_request"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "malformed_request"),
    "a version of its own": (b"CONNECT a.sim:443 HTTP/3.0\r\n\r\n", "malformed_request"),
    "no version": (b"CONNECT a.sim:443\r\n\r\n", "malformed_request"),
    "NUL in the target": (b"CONNECT a\0.sim:443 HTTP/1.1\r\n\r\n", "malformed_request"),
    "NUL in a header": (b"CONNECT a.sim:443 HTTP/1.1\r\nX: a\0b\r\n\r\n", "malformed_request"),
    "a bare LF": (b"CONNECT a.sim:443 HTTP/1.1\nHost: a.sim\n\n", "malformed_request"),
    "a bare CR": (b"CONNECT a.sim:443 HTTP/1.1\r\nX: a\rb\r\n\r\n", "malformed_request"),
    "a folded line": (b"CONNECT a.sim:443 HTTP/1.1\r\nX: a\r\n b\r\n\r\n", "malformed_request"),
    "a space before the colon": (b"CONNECT a.sim:443 HTTP/1.1\r\nHost : a.sim\r\n\r\n", "malformed_request"),
    "a header without a colon": (b"CONNECT a.sim:443 HTTP/1.1\r\nHost\r\n\r\n", "malformed_request"),
    "two Hosts": (b"GET http://a.sim/ HTTP/1.1\r\nHost: a.sim\r\nHost: b.sim\r\n\r\n", "malformed_request"),
    "two lengths": (b"POST http://a.sim/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
                    "malformed_request"),
    "a length that is none": (b"POST http://a.sim/ HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "malformed_request"),
    "length and chunks": (b"POST http://a.sim/ HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
                          "malformed_request"),
    "another encoding": (b"POST http://a.sim/ HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "malformed_request"),
    "CONNECT with a body": (b"CONNECT a.sim:443 HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", "malformed_request"),
    "CONNECT with two Hosts": (b"CONNECT a.sim:443 HTTP/1.1\r\nHost: a.sim\r\nHost: b.sim\r\n\r\n", "malformed_request"),
    "CONNECT without a port": (b"CONNECT a.sim HTTP/1.1\r\n\r\n", "malformed_request"),
    "CONNECT to port 0": (b"CONNECT a.sim:0 HTTP/1.1\r\n\r\n", "malformed_request"),
    "CONNECT to port 65536": (b"CONNECT a.sim:65536 HTTP/1.1\r\n\r\n", "malformed_request"),
    "CONNECT to a URL": (b"CONNECT https://a.sim/ HTTP/1.1\r\n\r\n", "malformed_request"),
    "CONNECT with userinfo": (b"CONNECT me@a.sim:443 HTTP/1.1\r\n\r\n", "malformed_request"),
    "CONNECT to nobody": (b"CONNECT :443 HTTP/1.1\r\n\r\n", "malformed_request"),
    "CONNECT to half an IPv6": (b"CONNECT [2001:db8::1:443 HTTP/1.1\r\n\r\n", "malformed_request"),
    "CONNECT to half an IPv4": (b"CONNECT 127.1:443 HTTP/1.1\r\n\r\n", "malformed_request"),
    "CONNECT to a number": (b"CONNECT 2130706433:443 HTTP/1.1\r\n\r\n", "malformed_request"),
    "CONNECT to a percent-escape": (b"CONNECT a%2esim:443 HTTP/1.1\r\n\r\n", "malformed_request"),
    "CONNECT to a long name": (b"CONNECT " + b"a" * 300 + b":443 HTTP/1.1\r\n\r\n", "malformed_request"),
    "origin-form": (b"GET / HTTP/1.1\r\nHost: a.sim\r\n\r\n", "not_a_proxy_request"),
    "asterisk-form": (b"OPTIONS * HTTP/1.1\r\nHost: a.sim\r\n\r\n", "not_a_proxy_request"),
    "another scheme": (b"GET ftp://a.sim/ HTTP/1.1\r\nHost: a.sim\r\n\r\n", "not_a_proxy_request"),
    "https in clear text": (b"GET https://mmg.whatsapp.net/v/t HTTP/1.1\r\nUser-Agent: axios/1.6.0\r\n\r\n",
                            "cleartext_https"),
    "a URL with a fragment": (b"GET http://a.sim/#x HTTP/1.1\r\nHost: a.sim\r\n\r\n", "malformed_request"),
    "a head of 17 KB": (b"CONNECT a.sim:443 HTTP/1.1\r\nX: " + b"x" * 17_000 + b"\r\n\r\n", "head_too_large"),
    "an endless header": (b"CONNECT a.sim:443 HTTP/1.1\r\nX: " + b"x" * 500_000, "head_too_large"),
    "a flood of headers": (b"GET http://a.sim/ HTTP/1.1\r\n" + b"A: b\r\n" * 20_000, "head_too_large"),
    "an endless method": (b"A" * 100_000, "head_too_large"),
}
STATUS = {"malformed_request": 400, "not_a_proxy_request": 400, "cleartext_https": 400, "head_too_large": 431,
          "head_timeout": 408, "head_truncated": 400}

# Nobody has asked for anything yet, so that no answer would fit.
SOCKS = {
    "SOCKS5 with another version in its request": (GREETING + b"\x04\x01\x00\x01" + bytes(6), "malformed_request"),
    "SOCKS5 to port 0": (GREETING + socks5_head("a.sim", 0), "malformed_request"),
    "SOCKS5 to a name with NULs": (GREETING + b"\x05\x01\x00\x03\x03\0\0\0\x01\xbb", "malformed_request"),
    "SOCKS5 to an empty name": (GREETING + b"\x05\x01\x00\x03\x00\x01\xbb", "malformed_request"),
    "SOCKS5 with a wrong password version": (b"\x05\x01\x02\x05\x01a\x01b", "malformed_request"),
    "SOCKS4 to port 0": (socks4_head("a.sim", 0), "malformed_request"),
    "SOCKS4 with an endless user": (b"\x04\x01\x01\xbb\x00\x00\x00\x01" + b"u" * 10_000, "malformed_request"),
    "SOCKS4 with an endless name": (socks4_head("a", 443, b"u")[:-2] + b"n" * 10_000, "malformed_request"),
}


def by_an_author(data: bytes) -> bytes:
    """A complete CONNECT is told by a status only where it names its User-Agent."""
    return data.replace(b" HTTP/1.1\r\n", b" HTTP/1.1\r\nUser-Agent: x\r\n", 1) if data.startswith(b"CONNECT") else data


class BadInput(wire.WireTest):
    chips = ["bad", "good"]

    @classmethod
    def settings(cls) -> stack.Line:
        # Resets are paced up to the budget, and there are many.
        return {"timeouts": {"drain": "0s", "head": "500ms", "connect_budget": "1s"}}

    def setUp(self) -> None:
        self.port = self.ports["bad"]
        wire.tunnel(self.ports["good"], "warm.sim:7").close()
        self.quiet()
        self.before = self.metric("process_open_fds")

    def tearDown(self) -> None:
        """The process lives, serves, and holds nothing of what it was sent."""
        with wire.tunnel(self.ports["good"], "after.sim:7") as client:
            self.assertEqual(client.send(b"x").exactly(1), b"x")
        self.quiet()
        wire.until(lambda: self.metric("process_open_fds") <= self.before, "every descriptor is back")

    def quiet(self) -> None:
        wire.until(lambda: self.metric("chipgate_handshakes") == 0 and
                   self.metric("chipgate_tunnels_open", chip="good") == 0, "nothing is open")

    def refused(self, reason: str) -> float:
        return self.metric("chipgate_refusals_total", chip="bad", reason=reason)

    def test_everything_that_is_no_request_is_told_so_by_a_status(self) -> None:
        for name, (data, reason) in HTTP.items():
            before = self.refused(reason)
            with self.subTest(name), wire.Client(self.port) as client:
                sender = client.send_in_background(by_an_author(data))
                answer = client.answer()
                sender.join()
                self.assertEqual((answer.status, answer.get("x-chipgate-error")), (STATUS[reason], reason))
                self.assertEqual(self.refused(reason), before + 1)

    def test_a_connect_without_a_user_agent_is_reset_whatever_is_wrong_with_it(self) -> None:
        """Baileys would wait for ever behind a status."""
        for name in ("CONNECT without a port", "CONNECT to nobody", "CONNECT with a body", "CONNECT with two Hosts",
                     "a head of 17 KB", "NUL in a header", "a folded line", "a header without a colon"):
            before = self.refused(HTTP[name][1])
            with self.subTest(name), wire.Client(self.port) as client:
                self.assertEqual(client.send(HTTP[name][0]).rest(), (b"", "reset"))
                self.assertEqual(self.refused(HTTP[name][1]), before + 1)

    def test_it_may_come_byte_by_byte(self) -> None:
        for name in ("NUL in a header", "a folded line", "CONNECT without a port", "origin-form", "two lengths"):
            data, reason = HTTP[name]
            with self.subTest(name), wire.Client(self.port) as client:
                try:
                    client.send_each_byte(by_an_author(data))
                except OSError:
                    pass  # refused before its last byte
                self.assertEqual(client.answer().get("x-chipgate-error"), reason)

    def test_socks_that_is_none_is_reset(self) -> None:
        for name, (data, reason) in SOCKS.items():
            before = self.refused(reason)
            with self.subTest(name), wire.Client(self.port) as client:
                client.send(data)
                self.assertEqual(client.rest()[1], "reset")
                self.assertEqual(self.refused(reason), before + 1)

    def test_a_head_that_ends_too_early_is_told_so(self) -> None:
        before = self.refused("head_truncated")
        for data in (b"C", b"CONNECT a.sim:443 HTTP/1.1\r\nHost: a.sim\r\n", b"GET http://a.sim/"):
            with self.subTest(data), wire.Client(self.port) as client:
                answer = client.send(data).finish().answer()
                self.assertEqual((answer.status, answer.get("x-chipgate-error")), (400, "head_truncated"))
        for data in (b"\x05", GREETING, GREETING + socks5_head("a.sim", 443)[:-1], socks4_head("a.sim", 443)[:-1]):
            with self.subTest(data), wire.Client(self.port) as client:
                self.assertEqual(client.send(data).finish().rest()[1], "reset")
        self.assertEqual(self.refused("head_truncated"), before + 7)

    def test_a_head_that_is_not_complete_in_time_is_told_so(self) -> None:
        before = self.refused("head_timeout")
        for data in (b"", b"CONNECT a.sim", b"CONNECT a.sim:443 HTTP/1.1\r\nX: y\r\n"):
            with self.subTest(data), wire.Client(self.port) as client:
                answer = client.send(data).answer()
                self.assertEqual((answer.status, answer.get("x-chipgate-error")), (408, "head_timeout"))
        for data in (b"\x05", GREETING, socks4_head("a.sim", 443)[:-1]):
            with self.subTest(data), wire.Client(self.port) as client:
                self.assertEqual(client.send(data).rest()[1], "reset")
        self.assertEqual(self.refused("head_timeout"), before + 6)

    def test_dripping_bytes_do_not_buy_time(self) -> None:
        with wire.Client(self.port) as client:
            try:
                while True:
                    client.send(b"C")
                    client.socket.settimeout(0.05)
                    try:
                        if not client._hear():
                            break
                    except TimeoutError:
                        continue
            except OSError:
                pass
            self.assertIn(b"head_timeout", client.heard)

    def test_a_bad_request_behind_a_good_one_is_refused_too(self) -> None:
        with wire.Client(self.port) as client:
            self.assertEqual(client.send(wire.get_head("http://first.sim/")).answer().status, 200)
            answer = client.send(b"\0garbage\r\n\r\n").answer()
            self.assertEqual((answer.status, answer.get("x-chipgate-error")), (400, "malformed_request"))
            self.assertEqual(client.rest()[1], "eof")

    def test_a_body_with_broken_chunks_is_refused(self) -> None:
        for body in (b"zz\r\nhello\r\n", b"5\r\nhelloX123456", b"ffffffffffffffffff\r\n", b"1;" + b"e" * 40_000):
            with self.subTest(body[:20]), wire.Client(self.port) as client:
                client.send(wire.get_head("http://chunks.sim/", "Transfer-Encoding: chunked", method="POST") + body)
                answer = client.answer()
                self.assertEqual((answer.status, answer.get("x-chipgate-error")), (400, "malformed_request"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
