"""The failure matrix as a table: what goes wrong, who is asked, how an outcome is judged, and the page in docs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RETRYABLE = ("408", "428")
HANGS = "hangs"
SERVED = "served"
GAVE_UP = "gave up"
PROMISED_SECONDS = 20.0
# How fast is fast: an outcome is within one of these, in seconds. 16 is chipgate's budget for an answer, 20 the promise.
BOUNDS = (2, 5, 16, 20, 95)
# What a busy machine may take for an outcome that the page has within the bound.
ALLOWED = {2: 6.0, 5: 10.0, 16: PROMISED_SECONDS, 20: PROMISED_SECONDS, 95: 95.0}
# A black hole after the first reply looks like a peer that is thinking: only the client's own ping can tell.
PING_SECONDS = 95.0


@dataclass(frozen=True)
class Column:
    """A client, how it reaches its port, and whether a forwarder in user space stands between."""

    name: str
    driver: str
    scheme: str = "http"

    @property
    def is_baileys(self) -> bool:
        return self.driver.startswith("baileys")


COLUMNS = (
    Column("Baileys 7, HTTP", "baileys"),
    Column("Baileys 7, SOCKS", "baileys", "socks5h"),
    Column("Baileys 6.7, HTTP", "baileys6"),
    Column("Baileys 6.7, SOCKS", "baileys6", "socks5h"),
    Column("Chromium", "chromium"),
    Column("Go", "go"),
    Column("curl", "curl"),
)
REACHES = ("direct", "forwarded")


@dataclass(frozen=True)
class Row:
    """One fault. `act` is what the simulator is told once every client talks; until then nothing is wrong. `settings` are
    chipgate's beside the defaults."""

    name: str
    fault: dict[str, Any] = field(default_factory=dict)
    act: tuple[str, dict[str, Any]] | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    gateway: str = "http"
    served: bool = False  # the client is to notice nothing
    may_be_served: bool = False  # some clients notice, others drop what is wrong
    seconds: float = PROMISED_SECONDS  # within which Baileys must be told

    @property
    def by_target(self) -> bool:
        """Wrong at the target, under TLS, where chipgate cannot see it and promises nothing."""
        return self.fault.get("stage") == "origin"

    @property
    def waits(self) -> bool:
        """It strikes a client whose tunnel is open and quiet, so that a page must not be answered before."""
        return self.act is not None or self.fault.get("kind") == "idle_reap"


def at(name: str, stage: str, kind: str, **more: Any) -> Row:
    ours = {key: more.pop(key) for key in ("settings", "gateway", "served", "may_be_served", "seconds") if key in more}
    return Row(name, {"stage": stage, "kind": kind, **more}, **ours)


# What nobody but a look asks.
LOOKS = "look.sim"
ON_DEMAND = {"chips": [{"id": "chip", "port": 0, "connect": "on_demand"}],
             "verify": {"echoes_v4": [f"http://one-{LOOKS}/", f"http://two-{LOOKS}/"]}}
# The operator's own doing, told by chipgate's API and not by the simulator's.
RELEASE = "release"

STATUSES = (400, 401, 402, 403, 404, 407, 410, 429, 440, 500, 502, 503, 504, 522)

ROWS = (
    at("gateway: port closed", "accept", "refuse"),
    at("gateway: accepts and is silent", "accept", "silence"),
    at("gateway: accepts 2 s late", "accept", "slow", delay_ms=2000, served=True),
    at("gateway: closes", "accept", "fin"),
    at("gateway: resets", "accept", "rst"),
    at("gateway's certificate: expired", "tls", "expired", gateway="https"),
    at("gateway's certificate: another name", "tls", "wrong_name", gateway="https"),
    at("gateway's certificate: signed by itself", "tls", "self_signed", gateway="https"),
    at("account: rejected", "auth", "reject"),
    at("CONNECT: silence", "connect", "silence"),
    at("CONNECT: answered after 2 s", "connect", "slow", delay_ms=2000, served=True),
    at("CONNECT: answered after 18 s", "connect", "slow", delay_ms=18_000),
    at("CONNECT: closed", "connect", "fin"),
    at("CONNECT: reset", "connect", "rst"),
    at("CONNECT: garbage", "connect", "garbage"),
    *(at(f"CONNECT: {status}", "connect", "status", status=status) for status in STATUSES),
    at("CONNECT: 200 with headers", "connect", "status", status=200, headers={"X-Node": "a", "Content-Length": "0"},
       served=True),
    at("CONNECT: 200 byte by byte", "connect", "split", served=True),
    at("CONNECT: 200 with bytes of nobody", "connect", "extra", body="extra", may_be_served=True),
    at("SOCKS gateway: reply 1", "connect", "socks_reply", rep=1, gateway="socks5"),
    at("SOCKS gateway: reply 5", "connect", "socks_reply", rep=5, gateway="socks5"),
    at("SOCKS gateway: account rejected", "auth", "reject", gateway="socks5"),
    *(at(f"tunnel: {how} {when}", "tunnel", "cut", how=kind, after_bytes=count)
      for how, kind in (("closed", "fin"), ("reset", "rst"))
      for when, count in (("at once", 0), ("in its TLS handshake", 1000))),
    at("tunnel: black hole at once", "tunnel", "blackhole"),
    at("tunnel: black hole in its TLS handshake", "tunnel", "blackhole", after_bytes=1000, seconds=PING_SECONDS),
    at("tunnel: closed when idle for 2 s", "tunnel", "idle_reap", how="fin", delay_ms=2000),
    at("tunnel: reset when idle for 2 s", "tunnel", "idle_reap", how="rst", delay_ms=2000),
    at("tunnel: 10 kB/s", "tunnel", "throttle", bytes_per_second=10_000, served=True),
    Row("talking: closed", act=("/tunnels/cut", {"how": "fin"})),
    Row("talking: reset", act=("/tunnels/cut", {"how": "rst"})),
    Row("talking: black hole", act=("/tunnels/blackhole", {}), seconds=PING_SECONDS),
    Row("talking: gateway goes down, closing", act=("/listeners/down", {"tunnels": "fin"})),
    Row("talking: gateway goes down, resetting", act=("/listeners/down", {"tunnels": "rst"})),
    Row("talking: session ends, resetting", act=("/sessions/end", {"tunnels": "rst"})),
    Row("talking: its operator releases the chip", act=(RELEASE, {})),
    Row("chip: not connected", settings={"chips": [{"id": "chip", "port": 0, "connect": "manual"}]}),
    at("chip: held, exit looked at after 2 s", "connect", "slow", delay_ms=2000, target=LOOKS, settings=ON_DEMAND,
       served=True),
    at("chip: held, and no exit can be looked at", "connect", "silence", target=LOOKS, settings=ON_DEMAND),
    at("chip: held, and the account is rejected", "auth", "reject", settings=ON_DEMAND),
    at("target: silent after TLS", "origin", "silence"),
    at("target: answers after 2 s", "origin", "slow", delay_ms=2000),
    at("target: closes", "origin", "fin"),
    at("target: resets", "origin", "rst"),
    at("target: garbage", "origin", "garbage"),
    at("target: 503", "origin", "status", status=503),
)


@dataclass(frozen=True)
class Outcome:
    """What a client reports and when. A page knows only the bound."""

    said: str
    seconds: float

    @property
    def bound(self) -> int | None:
        return next((bound for bound in BOUNDS if self.seconds <= bound), None)

    def written(self) -> str:
        return self.said if self.said == HANGS else f"{self.said} ≤ {self.bound} s"

    @staticmethod
    def read(text: str) -> Outcome:
        found = re.fullmatch(r"(.*) ≤ (\d+) s", text)
        return Outcome(found[1], float(found[2])) if found else Outcome(text, BOUNDS[-1] + 1.0)

    def badness(self, column: Column) -> int:
        """Served, told in a way that is handled, given up by the client's own clock, told in a way that does harm, hung."""
        if self.said == HANGS:
            return 4
        if column.is_baileys:
            return 0 if self.said == SERVED else 1 if self.said in RETRYABLE else 3
        # Chromium may ask once more by itself, so that whether it is told or served is chance.
        return 2 if self.said == GAVE_UP else 1


Cells = dict[tuple[str, str, str], Outcome]  # by reach, row and column


def complaint(column: Column, before: Outcome, now: Outcome) -> str | None:
    """How a cell is worse than the page has it, if it is."""
    if now.badness(column) > before.badness(column):
        return f"was {before.written()}, is {now.said} after {now.seconds:.1f} s"
    slow = now.said != HANGS and before.bound is not None and now.seconds > ALLOWED[before.bound]
    return f"was {before.written()}, took {now.seconds:.1f} s" if slow else None


def broken_promise(row: Row, column: Column, now: Outcome) -> str | None:
    """Whatever the page has: what no Baileys may ever be told, and nobody that is to be served may notice."""
    if row.by_target:
        return None
    if row.served:
        return None if now.said == SERVED else f"{now.said}, but nothing was to be noticed"
    if now.said == SERVED and column.is_baileys and not row.may_be_served:
        return "the fault did not strike"
    if not column.is_baileys or now.said == SERVED:
        return None
    if now.said not in RETRYABLE:
        return f"{now.said} after {now.seconds:.1f} s is no retryable code"
    return f"told after {now.seconds:.1f} s" if now.seconds > row.seconds else None


def longest(row: Row, cells: Cells) -> float:
    """Seconds that its slowest cell may take."""
    return max((now.bound or float("inf") for (_, name, _), now in cells.items() if name == row.name), default=float("inf"))


def settled(before: Outcome | None, now: Outcome) -> Outcome:
    """What the page is to say: a busy machine's delay alone does not change it."""
    same = before and before.said == now.said and before.bound and now.bound and before.bound <= now.bound
    return before if before and same and now.seconds <= ALLOWED[before.bound or 0] else now


PAGE = Path(__file__).resolve().parents[2] / "docs/failure-matrix.md"
MARKS = {"direct": "## Straight to the port", "forwarded": "## Through a forwarder in user space"}
INTRODUCTION = f"""# What clients report when something fails

Measured with unmodified clients by `tests/clients/matrix_test.py` on a virtual machine with two processors.
`CHIPGATE_WRITE_MATRIX=1` writes this page. Every cell is a chipgate of its own with the defaults, `fail_style: auto`.

- *served*: the client noticed nothing but the delay (Chromium may have asked once more by itself). For Baileys its
  WebSocket was upgraded.
- A number under Baileys is the status code of `connection: 'close'`; 408 and 428 mean *reconnect*, and bots take 401, 403,
  440 and 500 for a broken or lost login.
- *gave up*: the client's own limit of 45 s ended its wait.
- Rows called *target* go wrong under TLS at the target itself. chipgate cannot see them; they are here for comparison.

But for those rows the test fails, whatever stands here,

- where Baileys hangs, or is told another code than 408 and 428, or is told later than {PROMISED_SECONDS:g} s after it began
  or after the fault, whichever came later. After a black hole behind the first reply it has {PING_SECONDS:g} s: no proxy can
  tell that from a peer that is thinking, so Baileys' own clock ends it;
- where a client is not served although nobody may notice: what is late, slow or in pieces, or has headers.

It fails for every cell that is worse than it stands here, and so once more when nothing else runs:

- Baileys hangs, or is told another code than 408 and 428, or is told at all where it was served; another client hangs, or
  gives up. Which words or code the others report is not compared;
- it takes longer than a busy machine may: {ALLOWED[2]:g} s where 2 s stand here, {ALLOWED[5]:g} s where 5 s stand here,
  {ALLOWED[16]:g} s where 16 or 20 s stand here, and {ALLOWED[95]:g} s where 95 s stand here.
"""
FORWARDED_NOTE = """
As with docker-proxy: a reset arrives as a close. `listen.behind_userland_proxy` is true.
"""


def write(cells: Cells, path: Path = PAGE) -> None:
    parts = [INTRODUCTION]
    for reach in REACHES:
        parts.append(f"\n{MARKS[reach]}\n{FORWARDED_NOTE if reach == 'forwarded' else ''}\n")
        parts.append("| fault | " + " | ".join(column.name for column in COLUMNS) + " |\n")
        parts.append("| --- |" + " --- |" * len(COLUMNS) + "\n")
        for row in ROWS:
            written = (cells[reach, row.name, column.name].written() for column in COLUMNS)
            parts.append(f"| {row.name} | {' | '.join(written)} |\n")
    path.write_text("".join(parts))


def read(path: Path = PAGE) -> Cells:
    cells: Cells = {}
    reach = ""
    if not path.exists():
        return cells
    for line in path.read_text().splitlines():
        reach = next((one for one, mark in MARKS.items() if line == mark), reach)
        values = [value.strip() for value in line.strip("|").split("|")]
        if reach and len(values) == len(COLUMNS) + 1 and values[0] in {row.name for row in ROWS}:
            for column, value in zip(COLUMNS, values[1:]):
                cells[reach, values[0], column.name] = Outcome.read(value)
    return cells
