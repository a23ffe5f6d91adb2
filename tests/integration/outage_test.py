#!/usr/bin/env python3
"""What concerns the account or the ledger: no assignment ends for it, and nothing is promised that is not written."""

from __future__ import annotations

import contextlib
import functools
import resource
import sqlite3
import unittest
from datetime import datetime, timedelta, timezone

import life
import wire
from wire import stack


# Longer than clients are held for the breaker's sake.
FAR = timedelta(seconds=6)


class Account(life.LifeTest):
    def test_407_ends_no_assignment_and_opens_the_breaker(self) -> None:
        api = self.live(verify={"interval": "100ms", "max_age": "1h"})
        for chip in ("alpha", "beta"):
            api.put(chip)
        before = api.connect("alpha")["assignment_id"]
        tunnel = self.client("alpha")
        self.sim.fault("auth", "reject")
        account = wire.until(lambda: api.get("gateway")["account"], "the breaker opens")
        self.assertEqual(account["code"], "provider_auth")
        self.assertEqual(api.act("beta", "connect", wait="0s")[0], 202)
        self.assert_carries(tunnel)
        self.assertEqual(api.chip("alpha")["assignment"]["id"], before)
        api.await_event(None, "gateway.refusing")
        self.sim.clear()
        api.await_state("beta", "active")
        api.await_event(None, "gateway.recovered")
        self.assertIsNone(api.get("gateway")["account"])
        self.assertEqual(api.chip("alpha")["assignment"]["id"], before)
        self.assert_carries(tunnel)

    def test_one_canary_asks_for_all(self) -> None:
        api = self.live()
        self.sim.fault("auth", "reject")
        chips = [f"chip{number}" for number in range(10)]
        for chip in chips:
            api.put(chip)
            api.act(chip, "connect", wait="0s")
        tries: set[str] = set()

        def retries(count: int) -> bool:
            """So many times the breaker has set a time for its next canary."""
            at = api.get("gateway")["retry_at"]
            tries.update({at} if at else set())
            return len(tries) >= count
        wire.until(lambda: retries(1), "the breaker opens")
        # Those that were under way when it opened come home first.
        wire.until(lambda: retries(2), "the first canary", 30)
        asked = self.sim.stats()["auth_failures"]
        wire.until(lambda: retries(3), "the second canary", 30)
        self.assertLessEqual(self.sim.stats()["auth_failures"] - asked, 2, "more than a canary asked")
        self.sim.clear()
        for chip in chips:
            api.await_state(chip, "active")

    def test_clients_behind_the_canary_are_refused_with_its(self) -> None:
        """Where the breaker stays open for longer than they would wait; at the end of their budget they hear less."""
        api = self.live("--latency", "1s")
        for chip in ("alpha", "beta"):
            api.put(chip, connect="on_demand")
        self.sim.fault("connect", "status", status=402)
        api.put("pulse", connect="on_start")

        def far() -> bool:
            at = api.get("gateway")["retry_at"]
            return at is not None and datetime.fromisoformat(at) - datetime.now(timezone.utc) > FAR
        wire.until(far, "the breaker is open for long", 40)
        for client in self.in_background(*(functools.partial(self.refused, chip) for chip in ("alpha", "beta"))):
            self.assertEqual(client.result(), "provider_payment")


class FullDisk(life.LifeTest):
    """A process that may not write a byte to a file has a full disk as far as the ledger can tell."""

    def fill(self) -> None:
        self._limit(0)

    def empty(self) -> None:
        self._limit(resource.RLIM_INFINITY)

    def _limit(self, size: int) -> None:
        resource.prlimit(self.gate.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def live_with_chips(self, **settings: object) -> life.Operator:
        # The signal would end it before write could say EFBIG, which a disk that is full would not do.
        api = self.live(prefix=["env", "--ignore-signal=XFSZ"], **settings)
        for chip in ("alpha", "beta"):
            api.put(chip)
        return api

    def test_a_release_fences_and_says_that_it_is_not_recorded(self) -> None:
        api = self.live_with_chips()
        first = api.connect("alpha")["assignment_id"]
        own = self.exits_of("alpha")
        tunnel = self.client("alpha")
        self.fill()
        answer = api.released("alpha")
        self.assertEqual(answer, {"released": first, "recorded": False})
        self.assert_cut(tunnel)
        self.assertEqual(api.get("tunnels")["tunnels"], [])
        # Its address stays reserved: the row is open still.
        row, = api.history("chip=alpha")
        self.assertEqual((row["state"], row["exit_ips"]), ("open", own))
        self.empty()
        api.await_state("alpha", "released")
        row, = api.history("chip=alpha")
        self.assertEqual((row["state"], row["release_reason"]), ("closed", "released"))
        self.assertEqual(api.connect("alpha")["state"], "active")

    def test_a_release_is_told_the_ledger_as_soon_as_it_can_be(self) -> None:
        api = self.live_with_chips()
        api.put("alpha", connect="on_demand")
        self.client("alpha")
        self.fill()
        for _ in range(2):
            self.assertFalse(api.released("alpha")["recorded"])
        self.empty()
        api.await_state("alpha", "released")
        ledger = sqlite3.connect(f"file:{self.folder}/ledger.db?mode=ro", uri=True)
        with contextlib.closing(ledger):
            armings = "SELECT arming FROM chips WHERE id = 'alpha'"
            wire.until(lambda: ledger.execute(armings).fetchone() == ("disarmed",), "the ledger knows that it is disarmed")
        self.kill()
        self.start()
        self.assertEqual(self.refused("alpha"), "chip_released")

    def test_a_connect_that_cannot_be_recorded_arms_nothing(self) -> None:
        api = self.live_with_chips()
        api.put("alpha", connect="on_demand")
        self.assertTrue(api.released("alpha")["recorded"])
        self.fill()
        self.assertEqual(api.act("alpha", "connect", wait="1s")[0], 503)
        self.empty()
        self.assertEqual(self.refused("alpha"), "chip_released")

    def test_nothing_new_opens_and_what_is_open_goes_on(self) -> None:
        api = self.live_with_chips(verify={"interval": "100ms", "max_age": "1h"})
        api.connect("alpha")
        tunnel = self.client("alpha")
        self.fill()
        self.assertNotEqual(api.act("beta", "connect", wait="1s")[0], 200)
        wire.until(lambda: not api.get("status")["ledger_writable"], "it is told")
        self.assert_carries(tunnel)
        self.client("alpha", "new.sim:7")
        self.assertEqual(self.sim.exits().keys(), {api.chip("alpha")["assignment"]["session_identifier"]},
                         "a session left that was not written")
        self.empty()
        wire.until(lambda: api.act("beta", "connect")[0] == 200, "beta gets its assignment", 2 * stack.ANSWER_SECONDS)
        wire.until(lambda: api.get("status")["ledger_writable"], "it is told that all is well")
        self.assert_carries(tunnel)

    def test_a_delete_while_the_ledger_cannot_write_is_finished_later(self) -> None:
        api = self.live_with_chips()
        api.connect("alpha")
        tunnel = self.client("alpha")
        self.fill()
        self.assertFalse(api.expect(200, "DELETE", "chips/alpha")["recorded"])
        self.assert_cut(tunnel)
        self.assertEqual(api.state("alpha"), "releasing")
        self.empty()
        wire.until(lambda: api.ask("GET", "chips/alpha")[0] == 404, "alpha is gone")
        self.assertEqual(api.history("chip=alpha")[0]["state"], "closed")

    def test_what_was_fenced_and_not_recorded_is_finished_by_the_next_process(self) -> None:
        api = self.live_with_chips()
        first = api.connect("alpha")["assignment_id"]
        self.fill()
        self.assertFalse(api.released("alpha")["recorded"])
        self.kill()
        api = self.start()
        # The ledger never heard of the release, so the chip has its assignment still, and may be released again.
        self.assertEqual(api.await_state("alpha", "active")["assignment"]["id"], first)
        self.assertTrue(api.released("alpha")["recorded"])


if __name__ == "__main__":
    unittest.main()
