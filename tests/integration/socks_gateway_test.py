#!/usr/bin/env python3
"""A gateway that speaks SOCKS5: the account, its answers, and bytes through it."""

from __future__ import annotations

import concurrent.futures
import unittest

import rig
import scripted
import wire
from wire import stack

SECRET = stack.PASSWORD.encode()
# What each REP of RFC 1928 section 6 is called here, and the status that a client hears.
REPLIES = {1: ("provider_refused", 502), 2: ("provider_denied_target", 403), 3: ("target_unreachable", 502),
           4: ("target_unreachable", 502), 5: ("target_unreachable", 502), 6: ("provider_exit_timeout", 504),
           7: ("provider_refused", 502), 8: ("provider_refused", 502), 99: ("provider_refused", 502)}


class SocksGateway(rig.RigTest):
    def test_every_protocol_is_carried_and_the_exit_is_one(self) -> None:
        sim = self.provider()
        gate = self.gate(f"socks5://{sim.socks5}")
        exits = {chip: {rig.exit_of(port, way) for way in rig.WAYS} for chip, port in gate.ports.items()}
        self.assertEqual([len(seen) for seen in exits.values()], [1, 1])
        self.assertNotEqual(exits["alpha"], exits["beta"])
        self.assertEqual(set(sim.exits()), {gate.session("alpha"), gate.session("beta")})

    def test_the_gateway_gets_the_target_as_the_client_wrote_it(self) -> None:
        """A name stays a name: nobody here resolves it."""
        sim = self.provider()
        gate = self.gate(f"socks5://{sim.socks5}")
        for target in ("web.whatsapp.com:80", "192.0.2.7:8080", "[2001:db8::7]:5222"):
            with self.subTest(target), wire.tunnel(gate.ports["alpha"], target) as client:
                rig.ask_over(client)
                self.assertTrue(sim.seen(target))

    def test_a_session_may_stand_in_the_password(self) -> None:
        sim = self.provider("--grammar", "iproyal")
        gate = self.gate(f"socks5://{sim.socks5}", gateway={"preset": "iproyal"})
        exits = [rig.exit_of(port) for _ in range(2) for port in gate.ports.values()]
        self.assertEqual((exits[0], exits[1]), (exits[2], exits[3]))
        self.assertNotEqual(exits[0], exits[1])

    def test_a_wrong_password_is_the_accounts_fault(self) -> None:
        sim = self.provider()
        gate = self.gate(f"socks5://{sim.socks5}", gateway={"password": "another"})
        answer = rig.refusal(gate.ports["alpha"])
        self.assertEqual((answer.status, answer.get("x-chipgate-error")), (502, "provider_auth"))
        self.assertEqual(gate.line("refused", ended="provider_auth")["fault"], "provider")

    def test_every_reply_has_its_name_and_status(self) -> None:
        sim = self.provider()
        # A chip for each, so that none waits behind the others' refusals.
        gate = self.gate(f"socks5://{sim.socks5}", [f"chip-{reply}" for reply in REPLIES])
        for reply in REPLIES:
            sim.fault("connect", "socks_reply", rep=reply, target=f"reply-{reply}.sim")
        with concurrent.futures.ThreadPoolExecutor(len(REPLIES)) as pool:
            answers = pool.map(lambda reply: rig.refusal(gate.ports[f"chip-{reply}"], f"reply-{reply}.sim:80"), REPLIES)
        for (reply, (reason, status)), answer in zip(REPLIES.items(), answers):
            with self.subTest(reply):
                self.assertEqual((answer.status, answer.get("x-chipgate-error")), (status, reason))
                self.assertIn(f"SOCKS reply {reply}", str(gate.line("refused", ended=reason, chip=f"chip-{reply}")))

    def test_bulk_half_close_and_early_bytes_cross_it(self) -> None:
        sim = self.provider()
        gate = self.gate(f"socks5://{sim.socks5}")
        said = wire.pattern(3_000_000)
        with wire.tunnel(gate.ports["alpha"], "reverse.sim:13", early=said[:1000]) as client:
            client.send_in_background(said[1000:]).join()
            client.finish()
            self.assertEqual(client.rest(), (said[::-1], "eof"))
        sim.fault("connect", "split", target="split.sim")
        with wire.tunnel(gate.ports["alpha"], "split.sim:80") as client:
            rig.ask_over(client)
        sim.fault("connect", "extra", body="first words", target="extra.sim")
        with wire.tunnel(gate.ports["alpha"], "extra.sim:7") as client:
            self.assertEqual(client.exactly(11), b"first words")


class ScriptedSocks(rig.RigTest):
    """Gateways that do not keep to what they were asked."""

    def setUp(self) -> None:
        super().setUp()
        self.gateway = scripted.Gateway()
        self.addCleanup(self.gateway.close)
        self.heard = b""
        self.gate_there = self.gate(self.gateway.endpoint.replace("http", "socks5"), ["alpha"])

    def answers(self, *turns: bytes) -> wire.Answer:
        """What a client hears where the gateway takes each message with these."""
        def script(client: wire.Client) -> None:
            for turn in turns:
                self.heard += client.socket.recv(1000)
                client.send(turn)
            left, _ = client.rest()
            self.heard += left
        self.gateway.script = script
        return rig.refusal(self.gate_there.ports["alpha"])

    def assert_nothing_was_told(self, answer: wire.Answer, reason: str) -> None:
        self.assertEqual((answer.status, answer.get("x-chipgate-error")), (502, reason))
        wire.until(lambda: self.heard, "the greeting")
        # Only the offer of a password went out, and neither the account nor the target.
        self.assertEqual(self.heard, b"\x05\x01\x02")

    def test_a_gateway_that_wants_no_password_is_refused(self) -> None:
        self.assert_nothing_was_told(self.answers(b"\x05\x00"), "gateway_garbled")

    def test_a_gateway_that_takes_no_password_is_refused(self) -> None:
        self.assert_nothing_was_told(self.answers(b"\x05\xff"), "provider_auth")

    def test_a_gateway_that_speaks_something_else_is_refused(self) -> None:
        self.assert_nothing_was_told(self.answers(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "gateway_garbled")

    def test_the_credentials_are_rfc_1929_and_come_once(self) -> None:
        answer = self.answers(b"\x05\x02", b"\x01\x01")
        self.assertEqual(answer.get("x-chipgate-error"), "provider_auth")
        user = f"{stack.USERNAME}-session-{self.gate_there.session('alpha')}".encode()
        wire.until(lambda: len(self.heard) > 3, "the credentials")
        self.assertEqual(self.heard, b"\x05\x01\x02" + b"\x01" + bytes([len(user)]) + user + bytes([len(SECRET)]) + SECRET)


if __name__ == "__main__":
    unittest.main()
