#!/usr/bin/env python3
"""An exit that moves: seen by a look, by a reply, or not at all; and what is left of it in the history."""

from __future__ import annotations

import unittest

import life
import wire

QUICK = {"interval": "100ms", "max_age": "1h"}


class Moves(life.LifeTest):
    def moved(self, chip: str) -> tuple[dict, str]:
        """The chip's assignment, and where its session is moved to."""
        before = self.operator.chip(chip)["assignment"]
        to = self.sim.ask("POST", f"/sessions/{before['session_identifier']}/move")["exit"]
        self.assertNotIn(to, before["exit_ips"])
        return before, to

    def assert_written(self, before: dict, to: str) -> None:
        api = self.operator
        row = api.history("chip=alpha")[1]
        self.assertEqual((row["id"], row["release_reason"]), (before["id"], "moved"))
        self.assertIsNotNone(row["exposure_ms"])
        self.assertEqual([one["exit_ip"] for one in row["observations"]], [to])
        self.assertIn("http://look-", row["observations"][0]["echo"])
        # Who had the address? This chip, possibly; and its own one surely.
        self.assertEqual([(one["id"], one["possibly"]) for one in api.history(f"exit_ip={to}")], [(before["id"], True)])
        own = before["exit_ips"][0]
        self.assertEqual([(one["id"], one["possibly"]) for one in api.history(f"exit_ip={own}")], [(before["id"], False)])

    def test_a_look_sees_it_and_the_chip_is_fenced_and_redrawn(self) -> None:
        api = self.live(verify=QUICK)
        api.put("alpha")
        api.connect("alpha")
        tunnel = self.client("alpha")
        before, to = self.moved("alpha")
        self.assert_cut(tunnel)
        after = api.await_another("alpha", before["id"])["assignment"]
        self.assertNotIn(to, after["exit_ips"])
        self.assertNotEqual(before["exit_ips"], after["exit_ips"])
        self.client("alpha", "after.sim:7")
        self.assertEqual(self.sources("after.sim:7"), set(after["exit_ips"]))
        self.assertEqual(api.await_event("alpha", "chip.moved")["data"]["seen"], to)
        self.assert_written(before, to)

    def test_a_reply_that_names_the_exit_shows_it_before_a_byte_is_let_through(self) -> None:
        api = self.live("--exit-header", life.EXIT_HEADER)
        port = int(api.put("alpha")["port"])
        api.connect("alpha")
        tunnel = self.client("alpha")
        before, to = self.moved("alpha")
        with wire.Client(port) as client:
            client.send(wire.connect_head("alpha.sim:7") + b"never to be seen")
            try:
                answer = client.head()
            except (AssertionError, ConnectionResetError):
                pass  # without an answer, which is as good
            else:
                self.assertNotEqual(answer.status, 200, answer)
        self.assert_cut(tunnel)
        api.await_another("alpha", before["id"])
        self.assert_written(before, to)
        self.assertEqual(self.sources("alpha.sim:7"), set(before["exit_ips"]) | {to})
        seen = [entry for entry in self.sim.seen("alpha.sim:7") if entry["source"] == to]
        self.assertEqual([entry for entry in seen if entry["event"] == "in"], [], "bytes left by the other address")

    def test_verify_looks_at_once(self) -> None:
        api = self.live()
        api.put("alpha")
        api.connect("alpha")
        own = self.exits_of("alpha")[0]
        self.assertEqual(api.act("alpha", "verify")[1], {"verdict": "same", "exit_ip": own, "trouble": None})
        before, to = self.moved("alpha")
        status, answer = api.act("alpha", "verify")
        self.assertEqual((status, answer["verdict"], answer["exit_ip"]), (200, "other", to))
        api.await_another("alpha", before["id"])

    def test_on_change_block_waits_for_an_operator(self) -> None:
        api = self.live(verify={**QUICK, "on_change": "block"})
        api.put("alpha", connect="on_demand")
        api.connect("alpha")
        self.moved("alpha")
        chip = api.await_state("alpha", "blocked")
        self.assertEqual(chip["trouble"]["code"], "exit_moved")
        self.assertNotEqual(self.refused("alpha"), "")
        self.assertEqual(len(api.history("chip=alpha")), 1)
        api.connect("alpha")
        self.client("alpha")

    def test_an_echo_that_is_down_keeps_tunnels(self) -> None:
        api = self.live(verify=QUICK)
        api.put("alpha")
        before = api.connect("alpha")["assignment_id"]
        tunnel = self.client("alpha")
        for host in life.LOOKS:
            self.sim.fault("origin", "status", status=500, target=host)
        wire.until(lambda: len(self.gate.said("look_failed", chip="alpha")) >= 2, "looks fail")
        self.assert_carries(tunnel)
        self.assertEqual(api.chip("alpha")["assignment"]["id"], before)
        self.client("alpha", "new.sim:7")

    def test_one_echo_that_lies_moves_nobody(self) -> None:
        """What it says is not confirmed by the other one."""
        api = self.live(verify=QUICK)
        api.put("alpha")
        before = api.connect("alpha")["assignment_id"]
        self.sim.fault("origin", "status", status=200, body="198.51.100.7\n", target=life.LOOKS[0])
        tunnel = self.client("alpha")
        looked = wire.until(lambda: len([one for one in self.sim.seen(f"{life.LOOKS[1]}:80")
                                         if one["event"] == "opened"]) >= 5, "both echoes were asked")
        self.assertTrue(looked)
        self.assert_carries(tunnel)
        self.assertEqual(api.chip("alpha")["assignment"]["id"], before)
        self.assertEqual(api.events("alpha", "chip.moved"), [])


class Scarce(life.LifeTest):
    """A pool with fewer addresses than chips want."""

    def test_a_released_address_is_kept_from_other_chips_and_strict_blocks(self) -> None:
        api = self.live("--pool", "1", draws={"when_scarce": "strict"})
        for chip in ("alpha", "beta"):
            api.put(chip)
        api.connect("alpha")
        api.released("alpha")
        status, answer = api.act("beta", "connect")
        self.assertEqual((status, answer["error"]["code"], answer["state"]), (503, "no_free_exit", "blocked"))
        self.assertEqual(api.history("chip=beta"), [])

    def test_oldest_takes_the_address_that_rests_and_says_so(self) -> None:
        api = self.live("--pool", "1", draws={"when_scarce": "oldest"})
        for chip in ("alpha", "beta"):
            api.put(chip)
        api.connect("alpha")
        own = self.exits_of("alpha")
        api.released("alpha")
        api.connect("beta")
        self.assertEqual(self.exits_of("beta"), own)
        self.assertIn("quarantined_until", api.await_event("beta", "chip.exit_scarce")["data"])

    def test_an_address_in_use_is_never_shared_however_scarce(self) -> None:
        api = self.live("--pool", "1", draws={"when_scarce": "oldest"})
        for chip in ("alpha", "beta"):
            api.put(chip)
        api.connect("alpha")
        status, answer = api.act("beta", "connect", wait="0s")
        self.assertEqual((status, answer["state"]), (202, "acquiring"))
        wire.until(lambda: (api.chip("beta")["trouble"] or {}).get("code") == "no_free_exit", "beta is told")
        self.assertEqual(api.history("chip=beta"), [])
        # It has it as soon as it is free.
        api.released("alpha")
        api.await_state("beta", "active")

    def test_a_chip_never_gets_its_own_last_address_back(self) -> None:
        api = self.live("--pool", "1", draws={"when_scarce": "oldest"})
        api.put("alpha")
        api.connect("alpha")
        api.released("alpha")
        self.assertEqual(api.act("alpha", "connect", wait="0s")[0], 202)
        wire.until(lambda: (api.chip("alpha")["trouble"] or {}).get("code") == "no_free_exit", "alpha is told")
        self.assertEqual(len(api.history("chip=alpha")), 1)

    def test_a_ban_denies_the_address_for_good(self) -> None:
        api = self.live("--pool", "2", ledger={"quarantine": "1s"})
        for chip in ("alpha", "beta", "gamma"):
            api.put(chip)
        banned = api.connect("alpha")["assignment_id"]
        own, = self.exits_of("alpha")
        status, answer = api.act("alpha", "report", kind="banned", note="by the test", assignment_id=banned)
        self.assertEqual((status, answer["denied_exit_ip"]), (200, own))
        self.assertEqual([one["exit_ip"] for one in api.get("denied")["denied"]], [own])
        api.released("alpha")
        api.connect("beta")
        self.assertNotEqual(self.exits_of("beta"), [own])
        self.assertEqual(api.act("gamma", "connect", wait="0s")[0], 202)
        wire.until(lambda: (api.chip("gamma")["trouble"] or {}).get("code") == "no_free_exit", "gamma is told")
        # Also after a restart, and until an operator allows it again.
        self.gate.process.stop_cleanly()
        self.gate.ended = True
        api = self.start()
        self.assertEqual(api.history(f"exit_ip={own}")[0]["chip"], "alpha")
        self.assertEqual(api.act("gamma", "connect", wait="0s")[0], 202)
        wire.until(lambda: (api.chip("gamma")["trouble"] or {}).get("code") == "no_free_exit", "gamma is refused it still")
        api.expect(200, "DELETE", f"denied/{own}")
        api.act("gamma", "connect", wait="0s")
        api.await_state("gamma", "active")
        self.assertEqual(self.exits_of("gamma"), [own])


if __name__ == "__main__":
    unittest.main()
