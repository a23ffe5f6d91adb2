#!/usr/bin/env python3
"""SOCKS5, SOCKS4 and SOCKS4a as clients speak them, and the commands that are not carried."""

from __future__ import annotations

import struct
import unittest

import wire
from wire import GREETING, pattern, socks4_head, socks5_head

GRANTED5 = b"\x05\x00\x00\x01" + bytes(6)
GRANTED4 = b"\x00\x5a" + bytes(6)


class Socks(wire.WireTest):
    def echoes(self, client: wire.Client, said: bytes = b"there and back") -> None:
        client.send(said)
        self.assertEqual(client.exactly(len(said)), said)

    def open5(self, client: wire.Client, host: str, port: int = 7) -> None:
        self.assertEqual(client.send(GREETING).exactly(2), b"\x05\x00")
        self.assertEqual(client.send(socks5_head(host, port)).exactly(10), GRANTED5)

    def test_socks5_carries_names_and_addresses_of_both_families(self) -> None:
        for host, target in (("five.sim", "five.sim:7"), ("192.0.2.5", "192.0.2.5:7"),
                             ("2001:db8::5", "[2001:db8::5]:7")):
            with self.subTest(host), wire.Client(self.ports["alpha"]) as client:
                self.open5(client, host)
                self.echoes(client)
                self.assertEqual(self.provider.seen(target)[0]["event"], "opened")

    def test_without_credentials_of_the_port_a_client_with_userinfo_is_let_in(self) -> None:
        """Node offers both methods when its URL has a user; some clients offer nothing but the password."""
        with self.subTest("both"), wire.Client(self.ports["alpha"]) as client:
            self.assertEqual(client.send(b"\x05\x02\x00\x02").exactly(2), b"\x05\x00")
            self.assertEqual(client.send(socks5_head("both.sim", 7)).exactly(10), GRANTED5)
            self.echoes(client)
        with self.subTest("password only"), wire.Client(self.ports["alpha"]) as client:
            self.assertEqual(client.send(b"\x05\x01\x02").exactly(2), b"\x05\x02")
            self.assertEqual(client.send(b"\x01\x04user\x04pass").exactly(2), b"\x01\x00")
            self.assertEqual(client.send(socks5_head("only.sim", 7)).exactly(10), GRANTED5)
            self.echoes(client)

    def test_a_client_without_a_method_that_is_known_is_told_so(self) -> None:
        with wire.Client(self.ports["alpha"]) as client:
            client.send(b"\x05\x01\x01")  # GSSAPI
            self.assertEqual(client.exactly(2), b"\x05\xff")

    def test_socks4_carries_addresses_and_socks4a_names(self) -> None:
        for host in ("192.0.2.4", "four.sim"):
            for user in (b"", b"somebody"):
                with self.subTest(host, user=user), wire.Client(self.ports["alpha"]) as client:
                    self.assertEqual(client.send(socks4_head(host, 7, user)).exactly(8), GRANTED4)
                    self.echoes(client)

    def test_everything_may_come_byte_by_byte(self) -> None:
        with wire.Client(self.ports["alpha"]) as client:
            self.assertEqual(client.send_each_byte(b"\x05\x02\x00\x02").exactly(2), b"\x05\x00")
            client.send_each_byte(socks5_head("bytewise5.sim", 7) + b"early")
            self.assertEqual(client.exactly(15), GRANTED5 + b"early")
        with wire.Client(self.ports["alpha"]) as client:
            client.send_each_byte(socks4_head("bytewise4.sim", 7, b"me") + b"early")
            self.assertEqual(client.exactly(13), GRANTED4 + b"early")

    def test_everything_may_come_in_one_segment(self) -> None:
        with wire.Client(self.ports["alpha"]) as client:
            client.send(GREETING + socks5_head("atonce.sim", 7) + b"early")
            self.assertEqual(client.exactly(17), b"\x05\x00" + GRANTED5 + b"early")

    def test_bytes_behind_the_request_reach_the_target_first_and_in_order(self) -> None:
        for version, head, granted in ((5, GREETING + socks5_head("big5.sim", 7), b"\x05\x00" + GRANTED5),
                                       (4, socks4_head("big4.sim", 7), GRANTED4)):
            with self.subTest(version), wire.Client(self.ports["alpha"]) as client:
                early = pattern(64 * 1024)
                sender = client.send_in_background(head + early + b"late")
                self.assertEqual(client.exactly(len(granted)), granted)
                self.assertEqual(client.exactly(len(early) + 4), early + b"late")
                sender.join()

    def test_bind_and_udp_associate_are_answered_7(self) -> None:
        for number, command in enumerate((2, 3, 9)):
            before = self.metric("chipgate_refusals_total", chip="beta", reason="socks_command_refused")
            with self.subTest(command), wire.Client(self.ports["beta"]) as client:
                self.assertEqual(client.send(GREETING).exactly(2), b"\x05\x00")
                client.send(socks5_head(f"command{number}.sim", 7, command))
                self.assertEqual(client.exactly(10), b"\x05\x07\x00\x01" + bytes(6))
                self.assertEqual(client.rest(), (b"", "eof"))
                after = self.metric("chipgate_refusals_total", chip="beta", reason="socks_command_refused")
                self.assertEqual(after, before + 1)

    def test_bind_over_socks4_is_rejected(self) -> None:
        with wire.Client(self.ports["beta"]) as client:
            client.send(socks4_head("bind4.sim", 7, command=2))
            self.assertEqual(client.rest(), (b"\x00\x5b" + bytes(6), "eof"))

    def test_an_unknown_kind_of_address_is_answered_8(self) -> None:
        with wire.Client(self.ports["beta"]) as client:
            self.assertEqual(client.send(GREETING).exactly(2), b"\x05\x00")
            client.send(b"\x05\x01\x00\x02" + struct.pack(">IH", 0, 7))
            self.assertEqual(client.rest(), (b"\x05\x08\x00\x01" + bytes(6), "eof"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
