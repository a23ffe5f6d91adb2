#!/usr/bin/env python3
"""chipgate was killed while its chips had exits, and what is behind it fails when it starts again: when that is over,
clients are back soon, by the exits that they had."""

from __future__ import annotations

import functools
import time
import unittest
from typing import Any

import life
from recovering import (ACCOUNT_STANDING_SECONDS, BACK_SECONDS, DEFAULTS, GATEWAYS_FAULTS, IMPATIENCE, SESSIONS_FAULTS,
                        STANDING_SECONDS, attempt, back, only_as_shipped, pause_since)


class Resumed(life.LifeTest):
    def has_exits(self, chips: list[str]) -> None:
        api = self.live("--http", "127.0.0.1:0", draws=DEFAULTS)
        for chip in chips:
            api.put(chip, connect="on_demand")
            api.connect(chip)
        self.held = {chip: api.chip(chip)["assignment"] for chip in chips}
        self.ports = {chip: int(api.chip(chip)["port"]) for chip in chips}

    def start_again(self) -> None:
        self.kill()
        self.start()

    def insists(self, chip: str, seconds: float) -> None:
        """A client that goes on asking while the fault stands."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            tried = time.monotonic()
            self.assertIsNone(attempt(self.ports[chip], IMPATIENCE), "the fault stands")
            pause_since(tried)

    def assert_back(self, chip: str, fault: dict[str, Any]) -> None:
        took = back(self.ports[chip])
        print(f"back after {took:.2f} s: {fault}", flush=True)
        self.assertLess(took, BACK_SECONDS, fault)
        now = self.operator.chip(chip)["assignment"]
        self.assertEqual((now["id"], now["exit_ips"]), (self.held[chip]["id"], self.held[chip]["exit_ips"]))

    def comes_back(self, chip: str, fault: dict[str, Any], standing: Any) -> None:
        self.insists(chip, STANDING_SECONDS)
        self.sim.ask("DELETE", f"/faults/{standing}")
        self.assert_back(chip, fault)

    def test_clients_are_back_soon_after_each_of_their_sessions_faults(self) -> None:
        faults = {f"chip{index:02}": {**fault, "session": f"chip{index:02}"}
                  for index, fault in enumerate(SESSIONS_FAULTS.values())}
        self.has_exits(list(faults))
        standing = {chip: self.sim.fault(**fault) for chip, fault in faults.items()}
        self.start_again()
        jobs = self.in_background(*(functools.partial(self.comes_back, chip, fault, standing[chip])
                                    for chip, fault in faults.items()))
        for (chip, fault), job in zip(faults.items(), jobs):
            with self.subTest(fault=fault):
                job.result()

    def come_back_from(self, names: tuple[str, ...], seconds: float) -> None:
        chips = [f"chip{number}" for number in range(3)]
        self.has_exits(chips)
        for name in names:
            with self.subTest(fault=name):
                self.sim.fault(**GATEWAYS_FAULTS[name])
                self.start_again()
                for job in self.in_background(*(functools.partial(self.insists, chip, seconds) for chip in chips)):
                    job.result()
                self.sim.clear()
                for chip in chips:
                    self.assert_back(chip, GATEWAYS_FAULTS[name])

    @only_as_shipped
    def test_clients_are_back_soon_after_the_gateway_is_up_again(self) -> None:
        self.come_back_from(("all refuse", "all silence", "all fin", "all rst"), STANDING_SECONDS)

    @only_as_shipped
    def test_clients_are_back_soon_after_the_account_is_good_again(self) -> None:
        self.come_back_from(("all wrong credentials", "all 429", "all 402"), ACCOUNT_STANDING_SECONDS)


if __name__ == "__main__":
    unittest.main()
