#!/usr/bin/env python3
"""What /metrics says of chips' lives: that no two chips share an exit, and what became of looks, draws and writes."""

from __future__ import annotations

import unittest

import life
import wire

QUICK = {"interval": "100ms", "max_age": "1h"}


class Duplicates(life.LifeTest):
    """chipgate_exit_ip_duplicates is from what echoes and replies say, so only a provider's fault raises it."""

    def two_chips(self) -> None:
        for chip in ("alpha", "beta"):
            self.operator.put(chip)
            self.operator.connect(chip)
        self.tunnels = {chip: self.client(chip) for chip in ("alpha", "beta")}
        self.assertEqual(self.duplicates(), 0)

    def duplicates(self) -> float:
        return self.gate.metric("chipgate_exit_ip_duplicates")

    def give_alpha_the_exit_of_beta(self) -> None:
        sessions = {chip: self.operator.chip(chip)["assignment"]["session_identifier"] for chip in ("alpha", "beta")}
        self.sim.ask("POST", f"/sessions/{sessions['alpha']}/duplicate_of", {"session": sessions["beta"]})

    def ask_as(self, chip: str) -> None:
        """A CONNECT whose reply names the exit. What the client hears is another test's."""
        with wire.Client(int(self.operator.chip(chip)["port"])) as client:
            client.send(wire.connect_head(f"{chip}.sim:7", "User-Agent: curl/8"))
            client.rest()

    def test_a_reply_shows_them_as_long_as_no_look_has_decided(self) -> None:
        self.live("--exit-header", life.EXIT_HEADER)
        self.two_chips()
        self.silence_looks()
        self.give_alpha_the_exit_of_beta()
        self.ask_as("alpha")
        wire.until(lambda: self.duplicates() == 2, "both chips are counted")
        # The echoes are silent and the tunnels are not cut for what one header says; nothing new is let in.
        self.assert_carries(self.tunnels["alpha"])
        self.assertEqual(self.gate.metric("chipgate_exit_ip_duplicates_seen_total"), 1)
        self.operator.await_event("alpha", "chip.exit_shared")
        # As soon as an echo speaks it is a move, and the chip gets another exit.
        self.sim.clear()
        wire.until(lambda: self.duplicates() == 0, "the one that moved is fenced", 30)
        self.assert_cut(self.tunnels["alpha"])
        self.assert_carries(self.tunnels["beta"])

    def test_a_look_that_finds_one_is_counted_although_the_fence_follows_at_once(self) -> None:
        self.live(verify=QUICK)
        self.two_chips()
        before = self.operator.chip("alpha")["assignment"]["id"]
        self.give_alpha_the_exit_of_beta()
        self.assert_cut(self.tunnels["alpha"])
        self.assertEqual(self.gate.metric("chipgate_exit_ip_duplicates_seen_total"), 1)
        shared = self.operator.await_event("alpha", "chip.exit_shared")
        self.assertEqual(shared["data"]["other"], "beta")
        self.operator.await_another("alpha", before)
        self.client("alpha", "after.sim:7")
        self.assertEqual(self.duplicates(), 0)

    def test_chips_that_come_and_go_have_none(self) -> None:
        api = self.live(verify=QUICK)
        self.two_chips()
        api.rotated("alpha", wait="15s")
        self.client("alpha", "rotated.sim:7")
        api.released("beta")
        api.connect("beta")
        self.client("beta", "again.sim:7")
        self.assertEqual(self.duplicates(), 0)
        self.assertEqual(self.gate.metric("chipgate_exit_ip_duplicates_seen_total"), 0)


class Lives(life.LifeTest):
    def test_a_move_is_counted_with_its_exposure(self) -> None:
        api = self.live(verify=QUICK)
        api.put("alpha")
        api.connect("alpha")
        self.assertEqual(self.gate.metric("chipgate_exit_moves_total"), 0)
        before = api.chip("alpha")["assignment"]
        self.sim.ask("POST", f"/sessions/{before['session_identifier']}/move")
        api.await_another("alpha", before["id"])
        self.assertEqual(self.gate.metric("chipgate_exit_moves_total"), 1)
        self.assertEqual(self.gate.metric("chipgate_exit_exposure_seconds_count"), 1)
        recorded = api.history("chip=alpha")[1]["exposure_ms"] / 1000
        self.assertAlmostEqual(self.gate.metric("chipgate_exit_exposure_seconds_sum"), recorded, delta=.01)
        self.assertEqual(self.gate.metric("chipgate_look_verdicts_total", outcome="other"), 1)
        self.assertEqual(self.gate.metric("chipgate_draws_total", outcome="taken"), 2)
        self.assertEqual(self.gate.metric("chipgate_events_total", type="chip.moved"), 1)

    def test_looks_are_counted_apart_from_what_clients_carry(self) -> None:
        api = self.live(verify=QUICK)
        api.put("alpha")
        api.connect("alpha")
        wire.until(lambda: self.gate.metric("chipgate_look_verdicts_total", outcome="same") >= 2, "looks that say the same")
        self.assertGreater(self.gate.metric("chipgate_look_bytes_total", direction="down"), 0)
        self.assertEqual(self.gate.metric("chipgate_tunnel_bytes_total", chip="alpha", direction="down"), 0)
        self.assertEqual(self.gate.metric("chipgate_looking"), 1)

    def test_bytes_that_the_preset_whatsapp_would_save_are_counted(self) -> None:
        api = self.live()
        api.put("alpha")
        api.connect("alpha")
        port = int(api.chip("alpha")["port"])
        elsewhere = lambda: self.gate.metric("chipgate_elsewhere_bytes_total", chip="alpha")  # noqa: E731
        carried = lambda: self.gate.metric("chipgate_tunnel_bytes_total", chip="alpha", direction="up")  # noqa: E731
        with wire.tunnel(port, "mmg.whatsapp.net:443") as client:
            client.send(b"0123456789")
            wire.until(lambda: carried() == 10, "the bytes went through")
        self.assertEqual(elsewhere(), 0)
        with wire.tunnel(port, "updates.sim:7") as client:
            client.send(b"0123456789").exactly(10)
            wire.until(lambda: elsewhere() == 20, "both directions are counted")
        with wire.Client(port) as client:
            self.assertEqual(client.send(wire.get_head("http://updates.sim/")).answer().status, 200)
        wire.until(lambda: elsewhere() > 20, "so are plain requests")

    def test_a_refusing_account_is_one_open_breaker(self) -> None:
        api = self.live()
        api.put("alpha")
        self.assertEqual(self.gate.metric("chipgate_gateway_breaker_open"), 0)
        self.sim.fault("connect", "status", status=407)
        api.act("alpha", "connect", wait="0s")
        wire.until(lambda: self.gate.metric("chipgate_gateway_breaker_open"), "the breaker is open")
        self.assertEqual(self.gate.metric("chipgate_gateway_breaker_opened_total", reason="provider_auth"), 1)
        self.sim.clear()
        api.await_state("alpha", "active")
        self.assertEqual(self.gate.metric("chipgate_gateway_breaker_open"), 0)

    def test_the_ledger_says_how_it_fares(self) -> None:
        api = self.live()
        api.put("alpha")
        before = self.gate.metric("chipgate_ledger_commits_total")
        api.connect("alpha")
        self.assertGreater(self.gate.metric("chipgate_ledger_commits_total"), before)
        self.assertEqual(self.gate.metric("chipgate_ledger_commit_failures_total"), 0)
        self.assertEqual(self.gate.metric("chipgate_ledger_writable"), 1)
        wire.until(lambda: self.gate.metric("chipgate_ledger_queue") == 0, "nothing waits")

    def test_no_exit_session_or_target_is_a_label(self) -> None:
        api = self.live("--exit-header", life.EXIT_HEADER, verify=QUICK)
        api.put("alpha")
        api.connect("alpha")
        self.client("alpha", "secret-target.sim:7")
        assignment = api.chip("alpha")["assignment"]
        samples = "\n".join(wire.stack.metrics(self.gate.admin))
        for word in (*assignment["exit_ips"], assignment["session_identifier"], "secret-target"):
            self.assertNotIn(word, samples)


if __name__ == "__main__":
    unittest.main()
