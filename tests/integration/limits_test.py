#!/usr/bin/env python3
"""Tunnels of all chips together have a limit: one more is told so in its own way, and every end frees a place."""

from __future__ import annotations

import concurrent.futures
import unittest

import asking
import rig
import wire
from asking import BROWSER, ESTABLISHED, GRANTED4, GRANTED5, NODE, PLAIN, REJECTED4, SOCKS4, SOCKS5

LIMIT = 4
REASON = "too_many_tunnels_in_all"
# On two shards, which count together.
CHIPS = ["alpha", "beta"]


class Limits(rig.RigTest):
    def setUp(self) -> None:
        super().setUp()
        self.sim = self.provider()

    def begin(self, **settings: object) -> rig.Gate:
        timeouts = {"drain": "0s", "connect_budget": "2s"}
        self.started = self.gate(f"http://{self.sim.http}", CHIPS, workers=2, timeouts=timeouts,
                                 limits={"tunnels": LIMIT}, **settings)
        return self.started

    def kept(self, client: wire.Client) -> wire.Client:
        self.addCleanup(client.close)
        return client

    def fill(self, places: int = LIMIT) -> list[wire.Client]:
        ports = self.started.ports
        return [self.kept(wire.tunnel(ports[CHIPS[number % 2]], f"{number}.sim:7")) for number in range(places)]

    def refused(self) -> float:
        return sum(self.started.metric("chipgate_refusals_total", chip=chip, reason=REASON) for chip in CHIPS)

    def assert_full(self) -> None:
        for chip in CHIPS:
            answer = rig.refusal(self.started.ports[chip])
            self.assertEqual((answer.status, answer.get("x-chipgate-error")), (429, REASON))

    def await_place(self) -> None:
        """And no more than one."""
        def look() -> wire.Client | None:
            try:
                return wire.tunnel(self.started.ports["beta"], "after.sim:7")
            except (AssertionError, ConnectionResetError):
                return None
        self.kept(wire.until(look, "a free place"))
        self.assert_full()

    def test_every_kind_of_client_is_told_in_its_own_way(self) -> None:
        gate = self.begin()
        self.fill()
        for chip, port in gate.ports.items():
            told = asking.ask(port, BROWSER, f"browser-{chip}.sim").answer()
            plain = asking.ask(port, PLAIN, f"plain-{chip}.sim").answer()
            for answer in (told, plain):
                self.assertEqual((answer.status, answer.get("x-chipgate-error")), (429, REASON))
                self.assertIn("error=connection_limit_reached", answer.get("proxy-status") or "")
                self.assertEqual(answer.body.decode(), "chipgate: all chips together have their largest number of tunnels"
                                                       f" open [{REASON}]\n")
            for kind, data in ((NODE, b""), (SOCKS5, GRANTED5), (SOCKS4, GRANTED4)):
                heard = asking.ask(port, kind, f"{kind}-{chip}.sim")
                self.assertEqual((kind, heard.data, heard.how), (kind, data, "reset"))
            self.assertEqual(gate.metric("chipgate_refusals_total", chip=chip, reason=REASON), 5)
            self.assertEqual(len(gate.said("refused", chip=chip, ended=REASON)), 5)
        self.assertEqual(self.sim.stats()["connects"], LIMIT, "nobody else cost the gateway anything")

    def test_where_clients_want_replies_they_get_replies(self) -> None:
        gate = self.begin(fail_style="status")
        self.fill()
        port = gate.ports["alpha"]
        self.assertEqual(asking.ask(port, NODE, "node.sim").answer().get("x-chipgate-error"), REASON)
        self.assertEqual(asking.ask(port, SOCKS5, "five.sim").data, b"\x05\x01" + GRANTED5[2:])
        self.assertEqual(asking.ask(port, SOCKS4, "four.sim").data, REJECTED4)

    def test_where_clients_want_success_they_get_it_and_a_reset(self) -> None:
        gate = self.begin(fail_style="established")
        self.fill()
        heard = asking.ask(gate.ports["alpha"], NODE, "node.sim")
        self.assertEqual((heard.data, heard.how), (ESTABLISHED, "reset"))

    def test_every_way_in_which_a_tunnel_ends_frees_its_place(self) -> None:
        gate = self.begin()
        sessions = {chip: gate.session(chip) for chip in CHIPS}
        ends = {"closed": lambda client: client.close(), "reset": lambda client: client.reset(),
                "cut": lambda client: self.sim.cut(sessions["alpha"], "rst"),
                "ended": lambda client: self.sim.cut(sessions["alpha"], "fin")}
        for name, end in ends.items():
            with self.subTest(name):
                others = [self.kept(wire.tunnel(gate.ports["beta"], "other.sim:7")) for _ in range(LIMIT - 1)]
                last = self.kept(wire.tunnel(gate.ports["alpha"], "last.sim:7"))
                self.assert_full()
                end(last)
                if name == "ended":
                    last.rest()
                    last.close()
                self.await_place()
                for client in others:
                    client.close()
                self.end_all()

    def end_all(self) -> None:
        """What await_place opened goes too."""
        for chip in CHIPS:
            self.sim.cut(self.started.session(chip), "rst")
        wire.until(lambda: self.open_now() == 0, "every tunnel is gone")

    def open_now(self) -> float:
        return sum(self.started.metric("chipgate_tunnels_open", chip=chip) for chip in CHIPS)

    def test_a_kept_plain_connection_has_a_place_until_it_ends(self) -> None:
        gate = self.begin()
        self.fill(LIMIT - 1)
        plain = self.kept(wire.Client(gate.ports["alpha"]))
        self.assertEqual(plain.send(wire.get_head("http://kept.sim/")).answer().status, 200)
        self.assert_full()
        self.assertEqual(plain.send(wire.get_head("http://kept.sim/")).answer().status, 200, "whoever is in goes on")
        plain.close()
        self.await_place()

    def test_a_client_that_becomes_no_tunnel_gives_its_place_back(self) -> None:
        gate = self.begin()
        self.fill(LIMIT - 1)
        self.sim.fault("connect", "silence", target="silent.sim")
        self.sim.fault("connect", "status", status=503, target="down.sim")
        for name in ("leaves", "resets", "is refused"):
            wire.until(lambda: self.open_now() == LIMIT - 1, "one place is free")
            with self.subTest(name), wire.Client(gate.ports["alpha"]) as client:
                host = "down.sim" if name == "is refused" else "silent.sim"
                connects = self.sim.stats()["connects"]
                client.send(wire.connect_head(f"{host}:443"))
                wire.until(lambda: self.sim.stats()["connects"] > connects, "it is on its way")
                if name == "leaves":
                    client.close()
                elif name == "resets":
                    client.reset()
                # One that is refused waits for its refusal, and another has its place meanwhile.
                with wire.until(self.carried, "a free place"):
                    self.assert_full()

    def carried(self) -> wire.Client | None:
        try:
            return wire.tunnel(self.started.ports["beta"], "after.sim:7")
        except (AssertionError, ConnectionResetError):
            return None

    def test_the_limit_is_never_passed_however_many_ask_at_once(self) -> None:
        gate = self.begin()
        clients = [self.kept(wire.Client(gate.ports[CHIPS[number % 2]])) for number in range(60)]
        for number, client in enumerate(clients):
            client.send(wire.connect_head(f"{number}.sim:7", "User-Agent: curl/8"))
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            statuses = list(pool.map(lambda client: client.head().status, clients))
        self.assertEqual((statuses.count(200), statuses.count(429)), (LIMIT, 60 - LIMIT))
        self.assertEqual(self.refused(), 60 - LIMIT)


class Handshakes(rig.RigTest):
    def test_clients_that_say_nothing_make_room_for_those_who_speak(self) -> None:
        sim = self.provider()
        most, flood = 20, 200
        gate = self.gate(f"http://{sim.http}", CHIPS, timeouts={"drain": "0s", "head": "60s"},
                         limits={"handshakes_per_chip": most})
        silent = [wire.Client(gate.ports["alpha"]) for _ in range(flood)]
        begun = wire.Client(gate.ports["alpha"]).send(b"GET http://a.sim/ HTTP/1.1\r\n")
        for client in (*silent, begun):
            self.addCleanup(client.close)

        def refused() -> float:
            return gate.metric("chipgate_refusals_total", chip="alpha", reason="too_many_handshakes")

        wire.until(lambda: refused() == flood + 1 - most, "the oldest are thrown out")
        for client in silent[:flood + 1 - most]:
            self.assertEqual(client.rest(), (b"", "reset"))
        for _ in range(most):
            self.assertTrue(rig.exit_of(gate.ports["alpha"]), "whoever speaks is served")
        for _ in range(most):
            self.addCleanup(wire.Client(gate.ports["alpha"]).close)
        answer = begun.answer()
        self.assertEqual((answer.status, answer.get("x-chipgate-error")), (429, "too_many_handshakes"))
        self.assertEqual(gate.metric("chipgate_refusals_total", chip="beta", reason="too_many_handshakes"), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
