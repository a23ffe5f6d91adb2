#!/usr/bin/env python3
"""When a fault is over, clients are back by themselves: soon, by the exit that they had, and none is forgotten."""

from __future__ import annotations

import concurrent.futures
import functools
import time
import unittest
from typing import Any

import life
import wire
from recovering import (ACCOUNT_STANDING_SECONDS, BACK_SECONDS, DEFAULTS, GATEWAYS_FAULTS, IMPATIENCE, SESSIONS_FAULTS,
                        STANDING_SECONDS, Ledgered, attempt, back, only_as_shipped, pause_since)


class Recovery(life.LifeTest):
    def assert_back(self, port: int, fault: dict[str, Any]) -> None:
        took = back(port)
        print(f"back after {took:.2f} s: {fault}", flush=True)
        self.assertLess(took, BACK_SECONDS, fault)

    def recovers(self, chip: str, fault: dict[str, Any]) -> None:
        api = self.operator
        api.put(chip)
        # The gateway's breaker may still stand open for the fault before.
        wire.until(lambda: api.act(chip, "connect")[0] == 200, f"{chip} is active", 60)
        port, first = int(api.chip(chip)["port"]), api.chip(chip)["assignment"]["id"]
        exits = self.exits_of(chip)
        self.client(chip)
        standing = self.sim.fault(**fault)
        for _ in range(3):
            self.assertIsNone(attempt(port, IMPATIENCE), f"it strikes: {fault}")
        self.sim.ask("DELETE", f"/faults/{standing}")
        self.assert_back(port, fault)
        now = api.chip(chip)["assignment"]
        self.assertEqual((now["id"], now["exit_ips"]), (first, exits), api.history(f"chip={chip}"))

    def test_a_client_is_back_soon_and_by_its_exit_after_each_of_its_sessions_faults(self) -> None:
        self.live("--http", "127.0.0.1:0", draws=DEFAULTS)
        names = list(SESSIONS_FAULTS)
        jobs = self.in_background(*(functools.partial(
            self.recovers, f"chip{index:02}", {**SESSIONS_FAULTS[name], "session": f"chip{index:02}"})
            for index, name in enumerate(names)))
        for name, job in zip(names, jobs):
            with self.subTest(fault=name):
                job.result()

    @only_as_shipped
    def test_a_client_is_back_soon_and_by_its_exit_after_each_of_the_gateways_faults(self) -> None:
        self.live("--http", "127.0.0.1:0", draws=DEFAULTS)
        for number, (name, fault) in enumerate(GATEWAYS_FAULTS.items()):
            with self.subTest(fault=name):
                self.recovers(f"chip{number}", fault)

    def gets_its_first_exit(self, chip: str, fault: dict[str, Any], stands: float = STANDING_SECONDS) -> None:
        """Where the fault stands already when the first client comes, which goes on asking."""
        self.operator.put(chip, connect="on_demand")
        port = int(self.operator.chip(chip)["port"])
        standing = self.sim.fault(**fault)
        until = time.monotonic() + stands
        while time.monotonic() < until:
            tried = time.monotonic()
            self.assertIsNone(attempt(port, IMPATIENCE), f"it strikes: {fault}")
            pause_since(tried)
        self.sim.ask("DELETE", f"/faults/{standing}")
        self.assert_back(port, fault)

    @only_as_shipped
    def test_a_chip_without_an_exit_gets_one_soon_after_each_of_its_sessions_faults(self) -> None:
        self.live("--http", "127.0.0.1:0", draws=DEFAULTS)
        names = list(SESSIONS_FAULTS)
        jobs = self.in_background(*(functools.partial(
            self.gets_its_first_exit, f"chip{index:02}", {**SESSIONS_FAULTS[name], "session": f"chip{index:02}"})
            for index, name in enumerate(names)))
        for name, job in zip(names, jobs):
            with self.subTest(fault=name):
                job.result()

    @only_as_shipped
    def test_a_chip_without_an_exit_gets_one_soon_after_the_gateway_is_up_again(self) -> None:
        self.live("--http", "127.0.0.1:0", draws=DEFAULTS)
        for number, name in enumerate(("all refuse", "all silence", "all fin", "all rst")):
            with self.subTest(fault=name):
                self.gets_its_first_exit(f"chip{number}", GATEWAYS_FAULTS[name])

    @only_as_shipped
    def test_a_chip_without_an_exit_gets_one_soon_after_a_handshake_that_hung(self) -> None:
        """The first draw's fails after 8 s, so that it is a canary's that hangs when the gateway speaks again."""
        self.live("--https", "127.0.0.1:0", scheme="https", draws=DEFAULTS, verify={"timeout": "8s"})
        self.gets_its_first_exit("chip0", GATEWAYS_FAULTS["all silence"], 11.0)

    @only_as_shipped
    def test_a_chip_without_an_exit_gets_one_soon_after_the_account_is_good_again(self) -> None:
        self.live("--http", "127.0.0.1:0", draws=DEFAULTS)
        for number, name in enumerate(("all wrong credentials", "all 429", "all 402")):
            with self.subTest(fault=name):
                self.gets_its_first_exit(f"chip{number}", GATEWAYS_FAULTS[name], ACCOUNT_STANDING_SECONDS)


class Fleet(Ledgered):
    CHIPS = 200

    def recovers_from(self, kind: str) -> None:
        chips = [f"chip{number:03}" for number in range(self.CHIPS)]
        api = self.live("--http", "127.0.0.1:0", "--pool", "1000", draws=DEFAULTS,
                        chips=[{"id": chip, "connect": "on_demand"} for chip in chips])
        self.sim.fault("accept", kind)
        ports = [int(api.chip(chip)["port"]) for chip in chips]
        with concurrent.futures.ThreadPoolExecutor(self.CHIPS) as pool:
            self.assertEqual(set(pool.map(lambda port: attempt(port, IMPATIENCE), ports)), {None}, "it strikes")
            self.sim.clear()
            list(pool.map(back, ports))
        self.assertEqual({api.state(chip) for chip in chips}, {"active"})
        drawn = [at / 1e6 for at, in self.ledger("SELECT issued_at FROM identifiers WHERE outcome = 'opened' ORDER BY 1")]
        self.assertEqual(len(drawn), self.CHIPS)
        # A second's worth that the bucket held, another that came meanwhile, and what a busy machine did at once.
        for first in drawn:
            self.assertLessEqual(sum(first <= at < first + 1 for at in drawn), 2.8 * DEFAULTS["per_second"])
        # And no slower: nobody waits for its turn longer than the bucket makes it.
        self.assertLess(drawn[-1] - drawn[0], self.CHIPS / DEFAULTS["per_second"] + BACK_SECONDS)

    @only_as_shipped
    def test_none_of_two_hundred_chips_is_forgotten_and_draws_come_at_the_buckets_rate(self) -> None:
        self.recovers_from("refuse")

    def test_none_is_forgotten_either_whose_look_hangs_at_a_silent_gateway(self) -> None:
        self.recovers_from("silence")


if __name__ == "__main__":
    unittest.main()
