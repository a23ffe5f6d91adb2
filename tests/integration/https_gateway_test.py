#!/usr/bin/env python3
"""A gateway under TLS: who may be trusted with the credentials, and bytes through a TLS leg."""

from __future__ import annotations

import hashlib
import unittest

import rig
import tap
import wire
from wire import pattern, stack

BULK = 30_000_000
# Beside its first hello a client that turns away says one alert, and in TLS 1.3's middlebox form one byte before it.
MOST_BYTES_OF_A_FAREWELL = 64


class HttpsGateway(rig.RigTest):
    def setUp(self) -> None:
        super().setUp()
        self.sim = self.provider()
        self.tap = tap.Tap(self.sim.https)
        self.addCleanup(self.tap.close)

    def trusting(self, host: str = "127.0.0.1", **settings: object) -> rig.Gate:
        port = self.tap.address.rsplit(":", 1)[1]
        return self.gate(f"https://{host}:{port}", ["alpha"], {"tls": {"ca_file": str(self.folder / "sim-ca.pem")}},
                         workers=1, **settings)

    def assert_refused(self, gate: rig.Gate, reason: str, detail: str = "") -> None:
        """And the credentials never left: not encrypted, not in any other way."""
        before = len(self.tap.passages)
        answer = rig.refusal(gate.ports["alpha"])
        self.assertEqual((answer.status, answer.get("x-chipgate-error")), (502, reason))
        self.assertIn(detail, str(gate.line("refused", ended=reason).get("detail", "")))
        passages = self.tap.passages[before:]
        self.assertTrue(passages)
        for passage in passages:
            said = tap.records(bytes(passage.up))
            after_hello = len(passage.up) - 5 - len(said[0][1])
            self.assertEqual(said[0][0], tap.HANDSHAKE)
            self.assertLessEqual(after_hello, MOST_BYTES_OF_A_FAREWELL)
        stats = self.sim.stats()
        self.assertEqual((stats["connects"], stats["requests"], stats["auth_failures"]), (0, 0, 0))

    def test_a_verified_gateway_carries_every_protocol_by_name_and_by_address(self) -> None:
        for host in ("127.0.0.1", "localhost"):
            with self.subTest(host):
                gate = self.trusting(host)
                self.assertEqual(len({rig.exit_of(gate.ports["alpha"], way) for way in rig.WAYS}), 1)
        for passage in self.tap.passages:
            for secret in (stack.USERNAME.encode(), b"Authorization", b"CONNECT"):
                self.assertNotIn(secret, passage.up)

    def test_an_authority_that_nobody_trusts_gets_no_credentials(self) -> None:
        gate = self.gate(f"https://{self.tap.address}", ["alpha"])
        self.assert_refused(gate, "gateway_certificate")

    def test_a_certificate_that_signed_itself_gets_no_credentials(self) -> None:
        self.sim.fault("tls", "self_signed")
        self.assert_refused(self.trusting(), "gateway_certificate", "self-signed")

    def test_a_certificate_of_another_name_gets_no_credentials(self) -> None:
        self.sim.fault("tls", "wrong_name")
        self.assert_refused(self.trusting(), "gateway_certificate")
        self.assert_refused(self.trusting("localhost"), "gateway_certificate")

    def test_the_name_to_be_shown_may_be_configured(self) -> None:
        ca = {"ca_file": str(self.folder / "sim-ca.pem")}
        gate = self.gate(f"https://{self.tap.address}", ["alpha"], {"tls": ca | {"server_name": "gateway.sim"}})
        self.assertTrue(rig.exit_of(gate.ports["alpha"]))
        gate = self.gate(f"https://{self.tap.address}", ["alpha"], {"tls": ca | {"server_name": "other.sim"}})
        answer = rig.refusal(gate.ports["alpha"])
        self.assertEqual(answer.get("x-chipgate-error"), "gateway_certificate")

    def test_an_expired_certificate_gets_no_credentials(self) -> None:
        self.sim.fault("tls", "expired")
        gate = self.trusting()
        self.assert_refused(gate, "gateway_certificate", "expired")
        self.sim.clear()
        wire.until(lambda: rig.exit_of(gate.ports["alpha"]), "an exit once the certificate is good again")

    def test_what_speaks_no_tls_gets_no_credentials(self) -> None:
        self.tap.close()
        self.tap = tap.Tap(self.sim.http)
        self.addCleanup(self.tap.close)
        gate = self.trusting()
        answer = rig.refusal(gate.ports["alpha"])
        self.assertEqual((answer.status, answer.get("x-chipgate-error")), (502, "gateway_tls_failed"))
        self.assertEqual(self.sim.stats()["connects"], 0)

    def test_a_gateway_that_never_shakes_hands_is_given_up_within_the_budget(self) -> None:
        self.sim.fault("accept", "silence")
        budget, default = 2, 15
        gate = self.trusting(timeouts={"drain": "0s", "connect_budget": f"{budget}s"})
        answer = rig.refusal(gate.ports["alpha"])
        self.assertEqual(answer.get("x-chipgate-error"), "gateway_tls_failed")
        taken = gate.line("refused", ended="gateway_tls_failed")["tls_seconds"]
        self.assertTrue(budget / 2 < taken < default / 2, taken)

    def test_later_connections_resume_the_first_ones_session(self) -> None:
        gate = self.trusting()
        for _ in range(4):
            rig.exit_of(gate.ports["alpha"])
        self.assertEqual([tap.resumed(bytes(passage.down)) for passage in self.tap.passages], [False, True, True, True])

    def test_thirty_megabytes_through_tls_arrive_unchanged_both_ways(self) -> None:
        gate = self.trusting()
        with wire.tunnel(gate.ports["alpha"], "bulk.sim:7") as client:
            sender = client.send_in_background(pattern(BULK))
            heard = hashlib.sha256(client.exactly(BULK))
            sender.join()
            client.finish()
            self.assertEqual(client.rest(), (b"", "eof"))
        self.assertEqual(heard.hexdigest(), hashlib.sha256(pattern(BULK)).hexdigest())
        line = gate.line("tunnel", target="bulk.sim:7")
        self.assertEqual((line["bytes_up"], line["bytes_down"]), (BULK, BULK))

    def test_a_half_close_crosses_tls(self) -> None:
        gate = self.trusting()
        for size in (1, 1000, 3_000_000):
            with self.subTest(size), wire.tunnel(gate.ports["alpha"], "reverse.sim:13") as client:
                sender = client.send_in_background(pattern(size))
                sender.join()
                client.finish()
                self.assertEqual(client.rest(), (pattern(size)[::-1], "eof"))

    def test_bytes_behind_the_connect_and_behind_its_answer_keep_their_place(self) -> None:
        gate = self.trusting()
        self.sim.fault("connect", "extra", body="the target spoke first;", count=1)
        with wire.tunnel(gate.ports["alpha"], "early.sim:7", early=b"the client was early") as client:
            self.assertEqual(client.exactly(43), b"the target spoke first;the client was early")

    def test_a_gateway_that_closes_without_a_goodbye_ends_the_tunnel_with_all_that_it_said(self) -> None:
        gate = self.trusting()
        with wire.tunnel(gate.ports["alpha"], "abrupt.sim:7") as client:
            said = pattern(100_000)
            client.send(said)
            self.assertEqual(client.exactly(len(said)), said)
            self.tap.passages[-1].hang_up()
            left, _ = client.rest()
            self.assertEqual(left, b"")
        line = gate.line("tunnel", target="abrupt.sim:7")
        self.assertEqual((line["ended"], line["bytes_down"]), ("upstream_closed", len(said)))


if __name__ == "__main__":
    unittest.main()
