#!/usr/bin/env python3
"""Every fault of a gateway, told to every kind of client in the form that it takes best."""

from __future__ import annotations

import functools
import re
import unittest

import asking
import wire
from asking import BROWSER, ESTABLISHED, GRANTED4, GRANTED5, KINDS, NODE, PLAIN, REJECTED4, SOCKS4, SOCKS5
from wire import stack

# What the simulator does, the reason that chipgate gives, its status, and whose fault it says it is.
STATUSES = {402: ("provider_payment", 503), 403: ("provider_denied_target", 403), 407: ("provider_auth", 502),
            410: ("provider_session_lost", 502), 429: ("provider_rate_limited", 429), 500: ("provider_refused", 502),
            502: ("provider_session_lost", 502), 503: ("provider_no_exit", 503), 504: ("provider_exit_timeout", 504),
            522: ("provider_exit_timeout", 504), 525: ("provider_no_exit", 503), 418: ("provider_refused", 502)}
BREAKS = {"silence": ("gateway_silent", 504), "slow": ("gateway_silent", 504), "fin": ("gateway_closed", 502),
          "rst": ("gateway_closed", 502), "garbage": ("gateway_garbled", 502)}
# By the default budget of 15 s, whoever meets a silent gateway would be told later than this.
BUDGET_SECONDS, LATEST_SECONDS = 2, 10
# Clients read these as WhatsApp's own verdict about a login.
NEVER = {401, 402, 404, 406, 410, 440, 500}


class Case:
    def __init__(self, host: str, fault: dict[str, object], reason: str, status: int) -> None:
        self.host, self.fault, self.reason, self.status = host, fault, reason, status
        self.blame = reason.split("_")[0]


CASES = [Case(f"status{given}.sim", {"kind": "status", "status": given, "headers": {"X-Error-Description": "by order"}},
              *told) for given, told in STATUSES.items()]
CASES += [Case(f"{kind}.sim", {"kind": kind, "delay_ms": 600_000}, *told) for kind, told in BREAKS.items()]
SUBSET = [case for case in CASES if case.host in ("status503.sim", "rst.sim", "silence.sim")]


class RefusalTest(wire.WireTest):
    """Asks every case in every kind at once: refusals are paced, and there are many."""

    chips = list(KINDS)
    cases = SUBSET
    stage = "connect"
    more: stack.Line = {}

    @classmethod
    def settings(cls) -> stack.Line:
        budget = f"{BUDGET_SECONDS}s"
        return {"timeouts": {"drain": "0s", "connect_budget": budget, "first_reply": budget}, **cls.more}

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        for case in cls.cases:
            cls.provider.fault(cls.stage, target=case.host, **case.fault)
        asked = [(kind, case) for kind in KINDS for case in cls.cases]
        heard = asking.all_at_once(functools.partial(asking.ask, cls.ports[kind], kind, case.host)
                                   for kind, case in asked)
        cls.heard = {(kind, case.host): one for (kind, case), one in zip(asked, heard)}

    def each(self, kind: str):
        for case in self.cases:
            with self.subTest(kind=kind, case=case.host):
                yield case, self.heard[kind, case.host]

    def check_status(self, case: Case, heard: asking.Heard) -> None:
        answer = heard.answer()
        self.assertEqual((answer.version, answer.status, heard.how), ("HTTP/1.1", case.status, "eof"))
        self.assertNotIn(answer.status, NEVER)
        self.assertEqual(answer.get("x-chipgate-error"), case.reason)
        self.assertRegex(answer.get("proxy-status") or "", r'^chipgate; error=[a-z_]+; details="[^"]+"$')
        self.assertEqual(answer.get("connection"), "close")
        self.assertEqual(answer.get("content-length"), str(len(answer.body)))
        self.assertRegex(answer.body.decode(), rf"^chipgate: [^\n]+ \[{case.reason}\]\n$")
        self.assertIn(case.reason, answer.reason)  # Go shows the phrase and nothing else

    def check_all(self, kind: str, data: bytes, how: str) -> None:
        for case, heard in self.each(kind):
            self.assertEqual((heard.data, heard.how), (data, how))

    def check_all_statuses(self, kind: str) -> None:
        for case, heard in self.each(kind):
            self.check_status(case, heard)


class Automatic(RefusalTest):
    cases = CASES

    def test_a_browser_is_told_by_a_status_with_the_reason(self) -> None:
        self.check_all_statuses(BROWSER)
        told = self.heard[BROWSER, "status410.sim"].answer().get("proxy-status") or ""
        self.assertIn("410; X-Error-Description: by order", told)

    def test_node_is_reset_before_any_byte(self) -> None:
        self.check_all(NODE, b"", "reset")

    def test_socks_clients_are_reset_behind_a_reply_of_success(self) -> None:
        self.check_all(SOCKS5, GRANTED5, "reset")
        self.check_all(SOCKS4, GRANTED4, "reset")

    def test_a_plain_request_is_told_by_a_status(self) -> None:
        """What a gateway answers to a plain request may be the origin's own word, and goes through; but 407 is never
        the origin's."""
        for case, heard in self.each(PLAIN):
            given = case.fault.get("status", 407)
            if given == 407:
                self.check_status(case, heard)
            else:
                self.assertEqual(heard.answer().status, given)

    def test_everybody_is_told_within_the_budget(self) -> None:
        """A gateway that never answers uses all of it up."""
        for (kind, host), heard in self.heard.items():
            with self.subTest(kind=kind, host=host):
                self.assertLess(heard.seconds, LATEST_SECONDS)
                if host == "silence.sim":
                    self.assertGreaterEqual(heard.seconds, BUDGET_SECONDS)

    def test_every_refusal_is_counted_by_its_reason(self) -> None:
        for kind in (BROWSER, NODE, SOCKS5, SOCKS4):
            for reason in {case.reason for case in CASES}:
                wanted = sum(case.reason == reason for case in CASES)
                with self.subTest(kind=kind, reason=reason):
                    self.assertEqual(self.metric("chipgate_refusals_total", chip=kind, reason=reason), wanted)
            self.assertEqual(self.metric("chipgate_tunnels_opened_total", chip=kind), 0)

    def test_every_refusal_has_one_line_with_reason_and_fault(self) -> None:
        names = {BROWSER: "connect", NODE: "connect", SOCKS5: "socks5", SOCKS4: "socks4a"}
        for kind, protocol in names.items():
            for case, _ in self.each(kind):
                about = [line for line in self.gate.err.all()
                         if line.get("target") == f"{case.host}:443" and line.get("chip") == kind]
                self.assertEqual(len(about), 1)
                said = {key: about[0].get(key) for key in ("event", "protocol", "ended", "fault")}
                self.assertEqual(said, {"event": "refused", "protocol": protocol, "ended": case.reason,
                                        "fault": case.blame})

    def test_neither_a_client_nor_a_dial_is_left_behind(self) -> None:
        wire.until(lambda: self.metric("chipgate_handshakes") == 0, "no handshake is left")
        self.assertEqual(sum(value for name, value in stack.metrics(self.admin).items()
                             if re.match("chipgate_(clients_held|tunnels_open){", name)), 0)


class ForcedStatus(RefusalTest):
    more = {"fail_style": "status"}

    def test_http_gets_a_status_and_socks_a_reply(self) -> None:
        self.check_all_statuses(BROWSER)
        self.check_all_statuses(NODE)
        self.check_all(SOCKS4, REJECTED4, "eof")
        for case, heard in self.each(SOCKS5):
            self.assertEqual((heard.data[0], heard.data[2:], heard.how), (5, GRANTED5[2:], "eof"))
            self.assertNotEqual(heard.data[1], 0)


class ForcedReset(RefusalTest):
    more = {"fail_style": "reset"}

    def test_whoever_wants_a_tunnel_is_reset(self) -> None:
        for kind in (BROWSER, NODE, SOCKS5, SOCKS4):
            self.check_all(kind, b"", "reset")


class ForcedEstablished(RefusalTest):
    more = {"fail_style": "established"}

    def test_whoever_wants_a_tunnel_is_reset_behind_success(self) -> None:
        for kind, success in ((BROWSER, ESTABLISHED), (NODE, ESTABLISHED), (SOCKS5, GRANTED5), (SOCKS4, GRANTED4)):
            self.check_all(kind, success, "reset")


class BehindUserlandProxy(RefusalTest):
    """A reset before the answer would arrive as a close there, which Baileys reads as a broken login."""

    more = {"listen": {"behind_userland_proxy": True}}

    def test_node_is_reset_behind_a_200(self) -> None:
        self.check_all_statuses(BROWSER)
        self.check_all(NODE, ESTABLISHED, "reset")
        self.check_all(SOCKS5, GRANTED5, "reset")


class GatewayDown(RefusalTest):
    cases = [Case("anything.sim", {"kind": "refuse"}, "gateway_refused", 502)]
    stage = "accept"

    def test_every_kind_is_told(self) -> None:
        self.check_all_statuses(BROWSER)
        self.check_all_statuses(PLAIN)
        self.check_all(NODE, b"", "reset")
        self.check_all(SOCKS5, GRANTED5, "reset")
        self.check_all(SOCKS4, GRANTED4, "reset")


class LingeringClients(wire.WireTest):
    """A close with unread bytes becomes a reset that overtakes the answer."""

    def test_the_status_arrives_although_the_client_keeps_sending(self) -> None:
        self.provider.fault("connect", "status", status=403)
        for head in (asking.request(BROWSER, "talker.sim"), wire.get_head("https://clear.sim/"),
                     b"CONNECT nowhere HTTP/1.1\r\nUser-Agent: x\r\n\r\n"):
            with self.subTest(head), wire.Client(self.ports["alpha"]) as client:
                sender = client.send_in_background(head + bytes(500_000))
                self.assertIn(client.answer().status, (400, 403))
                sender.join()


if __name__ == "__main__":
    unittest.main(verbosity=2)
