#!/usr/bin/env python3
"""What the configuration's destinations allow is carried, and everything else costs nothing but its refusal."""

from __future__ import annotations

import json
import signal
import unittest

import asking
import life
import reloading
import rig
import wire
from asking import BROWSER, ESTABLISHED, GRANTED4, GRANTED5, KINDS, NODE, PLAIN, REJECTED4, SOCKS4, SOCKS5

DENIED = "destination_denied"
ALLOW = [f"{rig.EXIT_PAGE}:80", "*.whole.sim", "127.20.0.0/16", "*:7"]
DENY = ["bad.whole.sim", "10.0.0.0/8"]


class Destinations(life.LifeTest):
    def setUp(self) -> None:
        super().setUp()
        self.live(chips=[{"id": kind, "connect": "on_demand"} for kind in KINDS],
                  destinations={"allow": ALLOW, "deny": DENY})

    def port(self, kind: str) -> int:
        return int(self.operator.chip(kind)["port"])

    def denied(self, chip: str) -> float:
        return self.gate.metric("chipgate_refusals_total", chip=chip, reason=DENIED)

    def assert_untouched(self, *chips: str) -> None:
        """No assignment, no session, and nothing that left."""
        for chip in chips:
            self.assertEqual(self.operator.chip(chip)["state"], "released", chip)
            self.assertEqual(self.operator.history(f"chip={chip}"), [], chip)
        self.assertEqual(self.sim.exits(), {})

    def test_a_denied_target_is_refused_to_each_client_in_its_form_and_costs_no_draw(self) -> None:
        heard = dict(zip(KINDS, asking.all_at_once(
            [lambda kind=kind: asking.ask(self.port(kind), kind, "elsewhere.sim") for kind in KINDS])))
        for kind in (BROWSER, PLAIN):
            answer = heard[kind].answer()
            self.assertEqual((answer.status, answer.get("x-chipgate-error"), heard[kind].how), (403, DENIED, "eof"), kind)
            self.assertIn("no rule of destinations.allow", answer.get("proxy-status") or "")
        for kind, said in ((NODE, b""), (SOCKS5, GRANTED5), (SOCKS4, GRANTED4)):
            self.assertEqual((heard[kind].data, heard[kind].how), (said, "reset"), kind)
        for kind in KINDS:
            self.assertEqual(self.denied(kind), 1, kind)
            line = self.gate.line("refused", chip=kind)
            self.assertEqual((line["target"], line["ended"], line["fault"], line["detail"]),
                             (asking.target(kind, "elsewhere.sim"), DENIED, "client", "no rule of destinations.allow"))
        self.assert_untouched(*KINDS)

    def test_an_allowed_target_is_carried_over_every_protocol(self) -> None:
        for way, chip in zip(rig.WAYS, KINDS):
            self.assertEqual([rig.exit_of(self.port(chip), way)], self.exits_of(chip), way)
            self.assertEqual(self.denied(chip), 0)

    def test_deny_wins_and_the_log_names_its_rule(self) -> None:
        for target in ("bad.whole.sim:443", "BAD.whole.sim.:443"):
            answer = rig.refusal(self.port(BROWSER), target)
            self.assertEqual((answer.status, answer.get("x-chipgate-error")), (403, DENIED), target)
        for line in wire.until(lambda: self.gate.said("refused", chip=BROWSER)[1:2], "both lines are written"):
            self.assertEqual((line["target"], line["detail"]), ("bad.whole.sim:443", "destinations.deny has bad.whole.sim"))
        # *:7 allows it, and 10.0.0.0/8 does not.
        for target in ("10.1.2.3:7", "[::ffff:10.1.2.3]:7"):
            self.assertEqual(rig.refusal(self.port(BROWSER), target).get("x-chipgate-error"), DENIED, target)
        self.assert_untouched(BROWSER)

    def test_suffixes_ports_and_networks_decide(self) -> None:
        port = self.port(BROWSER)
        self.assertEqual(rig.refusal(port, "whole.sim:80").status, 403)
        self.assertEqual(rig.refusal(port, f"{rig.EXIT_PAGE}:81").status, 403)
        refused = rig.refusal(port, "127.21.0.1:80")
        self.assertIn("use socks5h://", refused.get("proxy-status") or "")
        self.assert_untouched(BROWSER)
        for target in ("a.whole.sim:7", "a.b.whole.sim:7", "anything.sim:7"):
            with wire.tunnel(port, target) as client:
                self.assert_carries(client)

    def test_the_next_request_on_a_connection_is_looked_at_too(self) -> None:
        with wire.Client(self.port(PLAIN)) as client:
            self.assertEqual(client.send(wire.get_head(f"http://{rig.EXIT_PAGE}/")).answer().status, 200)
            answer = client.send(wire.get_head("http://elsewhere.sim/")).answer()
            self.assertEqual((answer.status, answer.get("x-chipgate-error")), (403, DENIED))
        with wire.Client(self.port(PLAIN)) as client:
            self.assertEqual(client.send(wire.get_head(f"http://{rig.EXIT_PAGE}/")).answer().status, 200)
            answer = client.send(wire.connect_head("elsewhere.sim:443", "User-Agent: curl/8")).answer()
            self.assertEqual((answer.status, answer.get("x-chipgate-error")), (403, DENIED))
        self.assertEqual(self.sim.seen("elsewhere.sim:80") + self.sim.seen("elsewhere.sim:443"), [])


class Forced(life.LifeTest):
    def test_a_status_where_the_configuration_forces_it(self) -> None:
        self.live(chips=[{"id": kind, "connect": "on_demand"} for kind in (NODE, SOCKS5, SOCKS4)],
                  destinations={"deny": ["*"]})
        self.gate.process.signal(signal.SIGTERM)
        self.assertEqual(self.gate.wait(), 0)
        self.written["fail_style"] = "status"
        self.start()
        ports = {kind: int(self.operator.chip(kind)["port"]) for kind in (NODE, SOCKS5, SOCKS4)}
        self.assertEqual(asking.ask(ports[NODE], NODE, "a.sim").answer().status, 403)
        self.assertEqual(asking.ask(ports[SOCKS5], SOCKS5, "a.sim").data, b"\x05\x02\x00\x01" + bytes(6))
        self.assertEqual(asking.ask(ports[SOCKS4], SOCKS4, "a.sim").data, REJECTED4)


class UserlandProxy(life.LifeTest):
    def test_behind_a_forwarder_node_is_let_in_and_then_reset(self) -> None:
        self.live(chips=[{"id": NODE, "connect": "on_demand"}], destinations={"allow": ["whatsapp"]},
                  listen={"behind_userland_proxy": True})
        heard = asking.ask(int(self.operator.chip(NODE)["port"]), NODE, "elsewhere.sim")
        self.assertEqual((heard.data, heard.how), (ESTABLISHED, "reset"))


class Misused(life.LifeTest):
    """Requests that should have been a CONNECT: no client of its own accord mends that, so its author must read how."""

    def test_they_are_refused_with_the_fix_in_the_log_and_in_the_answer(self) -> None:
        self.live(chips=[{"id": "alpha", "connect": "on_demand"}])
        port = int(self.operator.chip("alpha")["port"])
        https = wire.get_head("https://mmg.whatsapp.net/v/t?secret", "User-Agent: axios/1.6.0")
        websocket = wire.get_head("http://web.whatsapp.com:443/ws/chat", "Connection: Upgrade", "Upgrade: websocket",
                                  "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
        media = wire.get_head("http://upload.whatsapp.net:443/mms/image?secret", "Content-Length: 0", method="POST")
        bare = wire.get_head("https://g.whatsapp.net/ws/chat", "Connection: Upgrade", "Upgrade: websocket")
        of_https, of_sockets = "httpsAgent: new HttpsProxyAgent(url)", "not http-proxy-agent"
        count: dict[str, int] = {}
        for request, reason, target, fix in (
                (https, "cleartext_https", "mmg.whatsapp.net:443", of_https),
                (media, "cleartext_https", "upload.whatsapp.net:443", "not of http-proxy-agent"),
                (websocket, "cleartext_upgrade", "web.whatsapp.com:443", of_sockets),
                (bare, "cleartext_upgrade", "g.whatsapp.net:443", of_sockets)):
            count[reason] = count.get(reason, 0) + 1
            with self.subTest(target), wire.Client(port) as client:
                answer = client.send(request).answer()
                self.assertEqual((answer.status, answer.get("x-chipgate-error")), (400, reason))
                self.assertIn(fix, answer.body.decode())
                line = self.gate.line("refused", ended=reason, detail=target)
                self.assertEqual(line["chip"], "alpha")
                self.assertIn(fix, line["hint"])
                self.assertNotIn("secret", json.dumps(line))
                self.assertEqual(self.gate.metric("chipgate_refusals_total", chip="alpha", reason=reason), count[reason])
        self.assertEqual(self.operator.history("chip=alpha"), [])

    def test_behind_an_ordinary_request_too(self) -> None:
        self.live(chips=[{"id": "alpha", "connect": "on_demand"}])
        with wire.Client(int(self.operator.chip("alpha")["port"])) as client:
            self.assertEqual(client.send(wire.get_head(f"http://{rig.EXIT_PAGE}/")).answer().status, 200)
            answer = client.send(wire.get_head("http://a.sim/ws", "Connection: Upgrade", "Upgrade: websocket")).answer()
            self.assertEqual(answer.get("x-chipgate-error"), "cleartext_upgrade")


class Reloaded(reloading.ReloadTest):
    def test_lists_that_change_hold_for_new_clients_and_leave_open_tunnels(self) -> None:
        self.begin("alpha")
        with self.client("alpha") as kept:
            before = self.standing("alpha")
            self.written["destinations"] = {"allow": ["whatsapp"]}
            self.file_says()
            self.assertEqual(self.reload(), {**reloading.NOTHING, "settings": ["destinations.allow"]})
            self.assertEqual(rig.refusal(self.port(0), "alpha.sim:7").get("x-chipgate-error"), DENIED)
            self.assert_carries(kept)
            self.assertEqual(self.standing("alpha"), before)
            self.assertIn("*.whatsapp.net:443", self.configuration_in_force())
            del self.written["destinations"]
            self.file_says()
            self.reload()
            self.client("alpha")


if __name__ == "__main__":
    unittest.main()
