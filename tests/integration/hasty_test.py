#!/usr/bin/env python3
"""Clients that reconnect without back-off cost their chip few draws, and chipgate little work."""

from __future__ import annotations

import os
import time
import unittest
from pathlib import Path

from recovering import DEFAULTS, Ledgered, attempt
from wire import stack

FIRST_ROUND = 5


class Hasty(Ledgered):
    """Clients that know no back-off, of a chip that gets no exit."""

    # The minute is shown by the build that is shipped; a sanitizer sees all there is to see in less.
    SECONDS = 15 if stack.SANITIZED else 60
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
        drawn = [at / 1e6 for at, in self.ledger("SELECT issued_at FROM identifiers ORDER BY 1")]
        # The first round tries several sessions; then there is one draw each retry_min, a second here.
        later = drawn[FIRST_ROUND - 1:]
        self.assertGreater(len(later), 1)
        self.assertLessEqual(len(later), self.SECONDS + 1)
        self.assertGreater(min(after - before for before, after in zip(later, later[1:])), 0.95)
        self.assertLess(spent, self.SECONDS / 4, f"{tries} tries")

    def processor_seconds(self) -> float:
        fields = Path(f"/proc/{self.gate.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    unittest.main()
