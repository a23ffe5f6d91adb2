"""Clients that come back after a fault, and what chipgate is like that they come back to."""

from __future__ import annotations

import contextlib
import sqlite3
import time
import unittest
from typing import Any

import life
import wire
from wire import stack

# chipgate's own, which the other tests of lives shorten.
DEFAULTS = {"retry_min": "1s", "retry_max": "60s", "per_second": 60, "per_chip_and_hour": 6}
# A client that would wait no longer than this for its tunnel, while the fault stands.
IMPATIENCE = 1.5
# A client's pause between two attempts.
RETRY_SECONDS = 1.0
# From a client's first attempt after the fault to its tunnel: what chipgate promises, and a sanitizer slows.
BACK_SECONDS = 10.0 if stack.SANITIZED else 2.0
# How long a fault stands before it is lifted: by then waits have grown as far as they do.
STANDING_SECONDS = 5.0
# The same for an account that is refused: it is asked at 1, 3, 7 and 15 s, were it not for the client.
ACCOUNT_STANDING_SECONDS = 8.0
# Bounds are five times as wide under a sanitizer, and what it may find is found by the faults of sessions and one fleet.
only_as_shipped = unittest.skipIf(stack.SANITIZED, "the build that is shipped shows it")

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


def pause_since(tried: float) -> None:
    """Until the next attempt of a client that made its last one then."""
    time.sleep(max(0.0, tried + RETRY_SECONDS - time.monotonic()))


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
        pause_since(tried)
    raise AssertionError("the client never came back")


class Ledgered(life.LifeTest):
    def ledger(self, question: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(sqlite3.connect(f"file:{self.folder}/ledger.db?mode=ro", uri=True)) as ledger:
            return ledger.execute(question).fetchall()
