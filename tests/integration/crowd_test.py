#!/usr/bin/env python3
"""Two WhatsApp numbers on one port: told, and refused where the configuration says so."""

from __future__ import annotations

import unittest

import life
import rig
import wire

WHATSAPP = "web.whatsapp.com:443"


class Crowd(life.LifeTest):
    def whatsapp(self, chip: str) -> wire.Client:
        client = wire.tunnel(self.gate.ports[chip], WHATSAPP)
        self.addCleanup(client.close)
        return client

    def chips(self, *specs: life.Line, **limits: object) -> life.Operator:
        return self.live(chips=[{"connect": "on_start", **spec} for spec in specs], limits=limits)

    def second(self, chip: str) -> wire.Answer:
        return rig.refusal(self.gate.ports[chip], WHATSAPP)

    def test_the_second_number_is_refused_where_one_is_the_limit(self) -> None:
        api = self.chips({"id": "alpha"}, max_whatsapp_sessions=1, crowd_age="0s")
        first = self.whatsapp("alpha")
        answer = self.second("alpha")
        self.assertEqual((answer.status, answer.get("x-chipgate-error")), (429, "too_many_whatsapp_sessions"))
        self.assertEqual(self.gate.metric("chipgate_refusals_total", chip="alpha", reason="too_many_whatsapp_sessions"), 1)
        # Media and everything else goes on, and so does the next session once the first one has ended.
        self.client("alpha")
        first.close()
        wire.until(lambda: api.chip("alpha")["tunnels_open"] == 1, "the first one is gone")
        self.whatsapp("alpha")

    def test_a_reconnect_is_let_in_beside_the_session_that_it_replaces(self) -> None:
        self.chips({"id": "alpha"}, max_whatsapp_sessions=1)  # which counts after 90 s
        self.whatsapp("alpha")
        self.whatsapp("alpha")

    def test_a_chip_has_its_own_limit_where_it_says_one(self) -> None:
        self.chips({"id": "alpha"}, {"id": "beta", "max_whatsapp_sessions": "off"}, max_whatsapp_sessions=1, crowd_age="0s")
        for chip in ("alpha", "beta", "beta"):
            self.whatsapp(chip)
        self.assertEqual(self.second("alpha").status, 429)

    def test_without_a_limit_the_second_one_is_told_once_and_shown(self) -> None:
        api = self.chips({"id": "alpha"}, crowd_age="1s")
        self.assertEqual(self.gate.metric("chipgate_crowded_chips"), 0)
        clients = [self.whatsapp("alpha") for _ in range(2)]
        self.assertEqual(api.await_event("alpha", "chip.crowded")["data"]["whatsapp_sessions"], 2)
        wire.until(lambda: self.gate.metric("chipgate_crowded_chips") == 1, "the metric says so")
        self.assertTrue(self.gate.said("two_numbers_on_one_port", chip="alpha"))
        clients[0].close()
        wire.until(lambda: self.gate.metric("chipgate_crowded_chips") == 0, "one is left")
        self.assertEqual(len(api.events("alpha", "chip.crowded")), 1)


if __name__ == "__main__":
    unittest.main()
