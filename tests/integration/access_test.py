#!/usr/bin/env python3
"""Who may use a port: client credentials, and networks that clients may come from."""

from __future__ import annotations

import unittest

import wire
from wire import connect_head, get_head, socks4_head, socks5_head

USER, PASSWORD = "local", "a:local/secret"


def login(username: str, password: str) -> bytes:
    return bytes([1, len(username)]) + username.encode() + bytes([len(password)]) + password.encode()


class ClientCredentials(wire.WireTest):
    @classmethod
    def settings(cls) -> wire.stack.Line:
        return {"timeouts": {"drain": "0s", "connect_budget": "2s"}, "listen": {"client_credentials": {"username": USER, "password": PASSWORD}}}

    def right(self) -> str:
        return f"Proxy-Authorization: {wire.basic(USER, PASSWORD)}"

    def wrong(self) -> list[str]:
        return [f"Proxy-Authorization: {value}" for value in
                (wire.basic(USER, "guess"), wire.basic("guess", PASSWORD), wire.basic(USER, PASSWORD + "x"),
                 wire.basic(USER, ""), "Basic", "Basic ====", "Bearer x", "")] + ["X-Nothing: at all"]

    def test_http_with_the_right_ones_is_let_in_and_they_go_no_further(self) -> None:
        with wire.tunnel(self.ports["alpha"], "let-in.sim:7", lines=(self.right(),)) as client:
            self.assertEqual(client.send(b"x").exactly(1), b"x")
        with wire.Client(self.ports["alpha"]) as client:
            seen = client.send(get_head("http://let-in.sim/headers", self.right())).answer()
            self.assertEqual(seen.status, 200)
            self.assertNotIn(b"uthorization", seen.body)

    def test_http_with_others_is_asked_for_them(self) -> None:
        for line in self.wrong():
            for head in (connect_head("kept-out.sim:7", line, "User-Agent: curl/8"), get_head("http://kept-out.sim/", line)):
                with self.subTest(line, head=head), wire.Client(self.ports["alpha"]) as client:
                    answer = client.send(head).answer()
                    self.assertEqual((answer.status, answer.get("x-chipgate-error")), (407, "client_auth_required"))
                    self.assertRegex(answer.get("proxy-authenticate") or "", r'^Basic realm="[^"]+"')
                    self.assertEqual(client.rest(), (b"", "eof"))
        self.assertEqual(self.provider.seen("kept-out.sim:7"), [])

    def test_node_is_reset_since_it_would_wait_for_ever_behind_a_407(self) -> None:
        for line in self.wrong()[:1] + ["X-Nothing: at all"]:
            with self.subTest(line), wire.Client(self.ports["alpha"]) as client:
                self.assertEqual(client.send(connect_head("node-out.sim:7", line)).rest(), (b"", "reset"))
        self.assertEqual(self.provider.seen("node-out.sim:7"), [])

    def test_every_request_of_a_kept_connection_needs_them(self) -> None:
        with wire.Client(self.ports["alpha"]) as client:
            self.assertEqual(client.send(get_head("http://kept.sim/", self.right())).answer().status, 200)
            self.assertEqual(client.send(get_head("http://kept.sim/")).answer().status, 407)

    def test_socks5_with_the_right_ones_is_let_in(self) -> None:
        with wire.Client(self.ports["alpha"]) as client:
            self.assertEqual(client.send(b"\x05\x02\x00\x02").exactly(2), b"\x05\x02")
            self.assertEqual(client.send(login(USER, PASSWORD)).exactly(2), b"\x01\x00")
            self.assertEqual(client.send(socks5_head("socks-in.sim", 7)).exactly(10)[1], 0)
            self.assertEqual(client.send(b"x").exactly(1), b"x")

    def test_socks5_with_others_or_without_is_reset_behind_rep_0(self) -> None:
        """A failed authentication would make clients delete their login, so nobody is told of one."""
        for offered, chosen, words in ((b"\x05\x01\x02", b"\x05\x02", login(USER, "guess")),
                                       (b"\x05\x01\x02", b"\x05\x02", login("guess", PASSWORD)),
                                       (b"\x05\x01\x00", b"\x05\x00", b"")):
            with self.subTest(words), wire.Client(self.ports["beta"]) as client:
                self.assertEqual(client.send(offered).exactly(2), chosen)
                if words:
                    self.assertEqual(client.send(words).exactly(2), b"\x01\x00")
                client.send(socks5_head("socks-out.sim", 7))
                self.assertEqual(client.exactly(10)[:2], b"\x05\x00")
                self.assertEqual(client.rest(), (b"", "reset"))
        self.assertEqual(self.provider.seen("socks-out.sim:7"), [])
        self.assertEqual(self.metric("chipgate_refusals_total", chip="beta", reason="client_auth_required"), 3)

    def test_socks4_cannot_give_them_and_is_reset_behind_its_grant(self) -> None:
        with wire.Client(self.ports["alpha"]) as client:
            client.send(socks4_head("socks4-out.sim", 7, USER.encode()))
            self.assertEqual(client.exactly(8)[:2], b"\x00\x5a")
            self.assertEqual(client.rest(), (b"", "reset"))
        self.assertEqual(self.provider.seen("socks4-out.sim:7"), [])

    def test_neither_secret_is_in_a_log(self) -> None:
        with wire.Client(self.ports["alpha"]) as client:
            client.send(connect_head("logged.sim:7", self.wrong()[0])).rest()
        self.line("refused", "logged.sim:7", ended="client_auth_required", fault="client")
        for line in self.gate.err.all():
            for secret in (PASSWORD, "guess", wire.basic(USER, PASSWORD)[6:]):
                self.assertNotIn(secret, str(line))


class AllowedNetworks(wire.WireTest):
    @classmethod
    def settings(cls) -> wire.stack.Line:
        return {**super().settings(), "listen": {"allow_clients": ["127.0.0.1", "127.9.0.0/16"]}}

    def test_a_client_from_an_allowed_network_is_let_in(self) -> None:
        for source in ("127.0.0.1", "127.9.8.7"):
            with self.subTest(source), wire.tunnel(self.ports["alpha"], "near.sim:7", source=source) as client:
                self.assertEqual(client.send(b"x").exactly(1), b"x")

    def test_a_client_from_elsewhere_is_refused_whatever_it_speaks(self) -> None:
        port = self.ports["alpha"]
        with self.subTest("a browser"), wire.Client(port, source="127.8.0.1") as client:
            answer = client.send(connect_head("far.sim:7", "User-Agent: Mozilla")).answer()
            self.assertEqual((answer.status, answer.get("x-chipgate-error")), (403, "client_not_allowed"))
        with self.subTest("Node"), wire.Client(port, source="127.8.0.1") as client:
            self.assertEqual(client.send(connect_head("far.sim:7")).rest(), (b"", "reset"))
        with self.subTest("plain"), wire.Client(port, source="127.8.0.1") as client:
            self.assertEqual(client.send(get_head("http://far.sim/")).answer().status, 403)
        with self.subTest("SOCKS5"), wire.Client(port, source="127.8.0.1") as client:
            client.send(wire.GREETING + socks5_head("far.sim", 7))
            self.assertEqual(client.rest()[1], "reset")
        self.assertEqual(self.provider.seen("far.sim:7"), [])
        self.assertEqual(self.metric("chipgate_refusals_total", chip="alpha", reason="client_not_allowed"), 4)


if __name__ == "__main__":
    unittest.main(verbosity=2)
