#!/usr/bin/env python3
"""When a fault is over, clients are back by themselves: soon, by the exit that they had, and none is forgotten."""

from __future__ import annotations

import concurrent.futures
import contextlib
import functools
import os
import sqlite3
import time
import unittest
from pathlib import Path
from typing import Any

import life
import wire
from wire import stack

# chipgate's own, which the other tests of lives shorten.
DEFAULTS = {"retry_min": "1s", "retry_max": "60s", "per_second": 60, "per_chip_and_hour": 6}
# From a client's first attempt after the fault to its tunnel.
BACK_SECONDS = 2.0
# A machine that does other work, or a sanitizer.
SLOW = 2
FIRST_ROUND = 5
# A client that would wait no longer than this for its tunnel, while the fault stands.
IMPATIENCE = 1.5

# What befalls one session, as the simulator names it.
SESSIONS_FAULTS: dict[str, dict[str, Any]] = {
    **{f"status {status}": {"stage": "connect", "kind": "status", "status": status}
       for status in (403, 500, 502, 503, 504, 522)},
    **{kind: {"stage": "connect", "kind": kind} for kind in ("silence", "fin", "rst", "garbage")},
    "slow": {"stage": "connect", "kind": "slow", "delay_ms": 20_000},
    "cut": {"stage": "tunnel", "kind": "cut"},
    "blackhole": {"stage": "tunnel", "kind": "blackhole"},
}
# And to everybody.
GATEWAYS_FAULTS: dict[str, dict[str, Any]] = {
    **{f"all {kind}": {"stage": "accept", "kind": kind} for kind in ("refuse", "silence", "fin", "rst")},
    "all wrong credentials": {"stage": "auth", "kind": "reject"},
    "all 429": {"stage": "connect", "kind": "status", "status": 429},
    "all 402": {"stage": "connect", "kind": "status", "status": 402},
}


def attempt(port: int, patience: float) -> wire.Client | None:
    """A tunnel that carries, or nothing. It says no User-Agent, so it is told of failures by resets."""
    try:
        client = wire.Client(port)
    except OSError:
        return None
    client.socket.settimeout(patience)
    try:
        client.send(wire.connect_head("back.sim:7"))
        if client.head().status == 200 and client.send(b"am I back?").exactly(10) == b"am I back?":
            return client
    except (OSError, AssertionError):
        pass
    client.close()
    return None


def back(port: int) -> float:
    """Seconds from the first attempt until there is a tunnel, by a client that tries once a second."""
    began = time.monotonic()
    while time.monotonic() - began < 4 * stack.ANSWER_SECONDS:
        tried = time.monotonic()
        if client := attempt(port, stack.ANSWER_SECONDS):
            client.close()
            return time.monotonic() - began
        time.sleep(max(0.0, tried + 1 - time.monotonic()))
    raise AssertionError("the client never came back")


class Ledgered(life.LifeTest):
    def ledger(self, question: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/ledger.db?mode=ro", uri=True)) as ledger:
            return ledger.execute(question).fetchall()


class Recovery(life.LifeTest):
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
            if client := attempt(port, IMPATIENCE):
                client.close()
        self.sim.ask("DELETE", f"/faults/{standing}")
        self.assertLess(back(port), BACK_SECONDS * SLOW)
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

    def test_a_client_is_back_soon_and_by_its_exit_after_each_of_the_gateways_faults(self) -> None:
        self.live("--http", "127.0.0.1:0", draws=DEFAULTS)
        for number, (name, fault) in enumerate(GATEWAYS_FAULTS.items()):
            with self.subTest(fault=name):
                self.recovers(f"chip{number}", fault)


class Fleet(Ledgered):
    CHIPS = 200

    def test_none_of_two_hundred_chips_is_forgotten_and_draws_come_at_the_buckets_rate(self) -> None:
        chips = [f"chip{number:03}" for number in range(self.CHIPS)]
        api = self.live("--http", "127.0.0.1:0", "--pool", "1000", draws=DEFAULTS,
                        chips=[{"id": chip, "connect": "on_demand"} for chip in chips])
        self.sim.fault("accept", "refuse")
        ports = [int(api.chip(chip)["port"]) for chip in chips]
        with concurrent.futures.ThreadPoolExecutor(self.CHIPS) as pool:
            list(pool.map(lambda port: attempt(port, IMPATIENCE), ports))
            self.sim.clear()
            list(pool.map(back, ports))
        self.assertEqual({api.state(chip) for chip in chips}, {"active"})
        drawn = [at / 1e6 for at, in self.ledger("SELECT issued_at FROM identifiers WHERE outcome = 'opened' ORDER BY 1")]
        self.assertEqual(len(drawn), self.CHIPS)
        # A second's worth that the bucket held, another that came meanwhile, and what a busy machine did at once.
        for first in drawn:
            self.assertLessEqual(sum(first <= at < first + 1 for at in drawn), 2.8 * DEFAULTS["per_second"])


class Hasty(Ledgered):
    """Clients that know no back-off, of a chip that gets no exit."""

    SECONDS = 10
    CLIENTS = 4

    def hammer(self, port: int, until: float) -> int:
        tries = 0
        while time.monotonic() < until:
            if client := attempt(port, 0.1):
                client.close()
            tries += 1
        return tries

    def test_they_cost_no_more_draws_than_retry_min_allows_and_no_busy_loop(self) -> None:
        api = self.live("--http", "127.0.0.1:0", draws={**DEFAULTS, "per_chip_and_hour": 10_000},
                        chips=[{"id": "alpha", "connect": "on_demand"}])
        self.sim.fault("connect", "status", status=502)
        port = int(api.chip("alpha")["port"])
        before = self.processor_seconds()
        until = time.monotonic() + self.SECONDS
        tries = sum(job.result() for job in self.in_background(*[lambda: self.hammer(port, until)] * self.CLIENTS))
        spent = self.processor_seconds() - before
        self.assertGreater(tries, self.CLIENTS * self.SECONDS)
        (draws,), = self.ledger("SELECT count(*) FROM identifiers")
        # The first round tries several sessions; then one draw each retry_min, a second here.
        self.assertLessEqual(draws, FIRST_ROUND + self.SECONDS + 1)
        self.assertGreater(draws, FIRST_ROUND)
        self.assertLess(spent, self.SECONDS / 4, f"{tries} tries")

    def processor_seconds(self) -> float:
        fields = Path(f"/proc/{self.gate.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    unittest.main()
