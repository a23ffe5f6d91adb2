#!/usr/bin/env python3
"""A long life in a short time: tunnels that come, go and rest, faults of every kind, reloads; and nothing may grow.

    python3 tests/soak/soak.py --minutes 10
    python3 tests/soak/soak.py --hours 24

Ends with 1 where memory, descriptors, or sockets in odd states have grown, and where a client was not served at the end."""

from __future__ import annotations

import argparse
import asyncio
import collections
import json
import os
import random
import signal
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True
TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / part) for part in ("audit", "integration", "support")]
import stack  # noqa: E402
import wire  # noqa: E402
from clients import Hammer  # noqa: E402
from ports import PortBlock  # noqa: E402

LOOKS = ("look-one.sim", "look-two.sim")
CHIPS = 30
HAMMERS = 2  # clients of each chip that come and go
RESTING = 2  # tunnels of each chip that say something now and then
FAULTS: tuple[dict[str, Any], ...] = (
    {"stage": "accept", "kind": "refuse"}, {"stage": "accept", "kind": "silence"}, {"stage": "accept", "kind": "rst"},
    {"stage": "auth", "kind": "reject"}, {"stage": "connect", "kind": "silence"}, {"stage": "connect", "kind": "fin"},
    {"stage": "connect", "kind": "garbage"}, {"stage": "connect", "kind": "status", "status": 502},
    {"stage": "connect", "kind": "status", "status": 429}, {"stage": "tunnel", "kind": "cut", "after_bytes": 40},
    {"stage": "tunnel", "kind": "blackhole", "after_bytes": 40}, {"stage": "origin", "kind": "silence"},
    {"stage": "tunnel", "kind": "throttle", "bytes_per_second": 1_000},
)
# A fault stands for a while, and then there is none for as long.
FAULT_SECONDS = 5.0
RELOAD_SECONDS = 11.0
SAMPLE_SECONDS = 2.0
# States of /proc/net/tcp that pass in seconds where nobody forgets a socket (include/net/tcp_states.h).
ODD = {"02": "SYN_SENT", "04": "FIN_WAIT1", "05": "FIN_WAIT2", "08": "CLOSE_WAIT", "09": "LAST_ACK", "0B": "CLOSING"}
# A half-closed tunnel may take a minute by the configuration's own limit, and a vanished peer as long.
ODD_FOR_SECONDS = 150.0
# What the allocator and the log's queue may still gain after the first third.
MEMORY_SLACK = 8 << 20
DESCRIPTOR_SLACK = 40


@dataclass(frozen=True)
class Sample:
    at: float
    memory: int
    descriptors: int
    odd: dict[str, str]  # sockets by their two ends: their state


def sample(pid: int) -> Sample:
    links = []
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            links.append(os.readlink(descriptor))
        except FileNotFoundError:
            pass  # closed since
    own = {link[8:-1] for link in links if link.startswith("socket:[")}
    odd = {}
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[9] in own and fields[3] in ODD:
            odd[f"{fields[1]} {fields[2]} {fields[9]}"] = ODD[fields[3]]
    resident = next(int(line.split()[1]) * 1024 for line in Path(f"/proc/{pid}/status").read_text().splitlines()
                    if line.startswith("VmRSS"))
    return Sample(time.monotonic(), resident, len(links), odd)


def growth(samples: list[Sample]) -> list[str]:
    """What has grown from the second third to the last."""
    third = len(samples) // 3
    middle, end = samples[third:2 * third], samples[2 * third:]
    found = []
    for name, slack in (("memory", MEMORY_SLACK), ("descriptors", DESCRIPTOR_SLACK)):
        was, now = (statistics.median(getattr(one, name) for one in part) for part in (middle, end))
        if now > was * 1.1 + slack:
            found.append(f"{name} grew from {was:.0f} to {now:.0f}")
    since: dict[str, float] = {}
    for one in samples:
        since = {key: since.get(key, one.at) for key in one.odd}
        found += [f"a socket in {one.odd[key]} for {one.at - began:.0f} s" for key, began in since.items()
                  if one.at - began > ODD_FOR_SECONDS]
    return sorted(set(found))


class Soak:
    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.rng = folder, random.Random(seed)
        self.block = PortBlock()
        self.simulator, self.sim = stack.gateway_sim(
            "--http", "127.0.0.1:0", "--api", "127.0.0.1:0", *stack.credentials(), "--pool", "300", "--draw", "random",
            "--seed", str(seed))
        self.faults = wire.Simulator(self.sim["api"])
        self.done: collections.Counter[str] = collections.Counter()
        self.samples: list[Sample] = []
        self.write(20, "info")
        environment = {"CHIPGATE_TEST_PASSWORD": stack.PASSWORD}
        self.gate = stack.Process("chipgate", [stack.BUILD / "chipgate", "serve", "--config", self.path], environment)
        self.gate.require(self.gate.err, lambda line: line.get("event") == "ready", "that it is ready")
        self.admin = next(int(line["port"]) for line in self.gate.err.all() if line.get("event") == "admin_open")
        self.ports = {f"chip{number:02}": self.block.first + 1 + number for number in range(CHIPS)}
        self.hammer = Hammer(self.ports, random.Random(seed + 1), ["connect", "browser", "socks5", "plain"])

    @property
    def path(self) -> Path:
        return self.folder / "chipgate.yaml"

    def write(self, interval: int, level: str = "error") -> None:
        """From the first reload on it says little: a day's lines would fill this program's memory."""
        written = stack.configuration(
            f"http://{self.sim['http']}", [], log={"format": "json", "access": False, "level": level},
            admin={"listen": "127.0.0.1:0", "token_file": str(self.folder / "token")},
            listen={"ports": self.block.range}, ledger={"path": str(self.folder / "ledger.db"), "quarantine": "5s"},
            verify={"interval": f"{interval}s", "timeout": "2s", "echoes_v4": [f"http://{host}/" for host in LOOKS]},
            draws={"retry_min": "200ms", "retry_max": "2s", "per_chip_and_hour": 100_000},
            timeouts={"half_closed": "20s", "first_reply": "5s", "drain": "0s"})
        # Two chips come and go by reloads; nobody is at their ports.
        guests = [CHIPS, CHIPS + 1] if interval == 20 else [CHIPS + 1]
        written["chips"] = [{"id": f"chip{number:02}", "port": self.block.first + 1 + number, "connect": "on_demand"}
                            for number in [*range(CHIPS), *guests]]
        self.path.write_text(json.dumps(written))

    async def live(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        clients = [asyncio.create_task(self.hammer.run(chip)) for chip in self.ports for _ in range(HAMMERS)]
        clients += [asyncio.create_task(self.rest(port)) for port in self.ports.values() for _ in range(RESTING)]
        clients += [asyncio.create_task(self.abandon()) for _ in range(2)]
        works = [asyncio.create_task(work(until)) for work in (self.trouble, self.reload, self.watch)]
        await asyncio.gather(*works)
        self.hammer.stopping = True
        for client in clients:
            client.cancel()
        ended = await asyncio.gather(*clients, return_exceptions=True)
        wrong = [one for one in ended if isinstance(one, Exception)]
        if wrong:
            raise wrong[0]

    async def rest(self, port: int) -> None:
        """A tunnel like WhatsApp's: a word every few seconds, and another tunnel when it ends."""
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                try:
                    writer.write(wire.connect_head("rest.sim:7"))
                    async with asyncio.timeout(20):
                        await reader.readuntil(b"\r\n\r\n")
                    while True:
                        writer.write(b"ping")
                        async with asyncio.timeout(20):
                            await reader.readexactly(4)
                        self.done["pings"] += 1
                        await asyncio.sleep(self.rng.uniform(1, 5))
                finally:
                    writer.transport.abort()
            except (OSError, EOFError, TimeoutError):
                self.done["rests ended"] += 1
                await asyncio.sleep(self.rng.uniform(0.2, 2))

    async def abandon(self) -> None:
        """Clients that go in the middle of whatever they had begun."""
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.rng.choice(list(self.ports.values())))
                head = wire.connect_head("abandon.sim:7")
                writer.write(head[:self.rng.randrange(1, len(head) + 1)])
                await asyncio.sleep(self.rng.uniform(0, 0.3))
                if self.rng.random() < 0.5:
                    writer.transport.abort()
                writer.close()
                self.done["abandoned"] += 1
            except OSError:
                pass
            await asyncio.sleep(0.05)

    async def trouble(self, until: float) -> None:
        for fault in self.endless():
            if time.monotonic() > until - 4 * FAULT_SECONDS:
                break
            await asyncio.to_thread(self.faults.fault, **fault)
            self.done["faults"] += 1
            await asyncio.sleep(FAULT_SECONDS)
            await asyncio.to_thread(self.faults.clear)
            await asyncio.sleep(FAULT_SECONDS)
        await asyncio.sleep(max(0.0, until - time.monotonic()))

    def endless(self) -> Any:
        while True:
            yield from self.rng.sample(FAULTS, len(FAULTS))

    async def reload(self, until: float) -> None:
        interval = 20
        while time.monotonic() < until - RELOAD_SECONDS:
            await asyncio.sleep(RELOAD_SECONDS)
            interval = 50 - interval
            self.write(interval)
            self.gate.signal(signal.SIGHUP)
            self.done["reloads"] += 1

    async def watch(self, until: float) -> None:
        while time.monotonic() < until:
            self.samples.append(sample(self.gate.pid))
            await asyncio.sleep(SAMPLE_SECONDS)

    def settle(self) -> list[str]:
        """With every client gone, so is everything that they had; and one that comes now is served."""
        found = [f"there were no {what}" for what in ("pings", "faults", "abandoned", "reloads") if not self.done[what]]
        if 2 * sum(one.answered for one in self.hammer.attempts) < len(self.hammer.attempts):
            found.append("most clients were not answered")
        found += [str(line) for line in self.gate.err.all() if line.get("event") == "config_not_reloaded"]
        for port in self.ports.values():
            wire.tunnel(port, "after.sim:7").close()
        try:
            wire.until(lambda: self.open_tunnels() == 0, "all tunnels are gone", ODD_FOR_SECONDS)
        except AssertionError as error:
            found.append(f"{error}: {self.open_tunnels():.0f} are left")
        return found

    def open_tunnels(self) -> float:
        return sum(value for name, value in stack.metrics(self.admin).items() if name.startswith("chipgate_tunnels_open{"))

    def report(self) -> None:
        attempts = self.hammer.attempts
        print(f"clients: {len(attempts)} came and went, {sum(one.answered for one in attempts)} were answered, "
              f"{self.hammer.messages} messages; {dict(self.done)}")
        third = max(1, len(self.samples) // 3)
        for name, part in (("after the first third", self.samples[third:third + 5]), ("at the end", self.samples[-5:])):
            print(f"{name}: {statistics.median(one.memory for one in part) / 1e6:.1f} MB resident, "
                  f"{statistics.median(one.descriptors for one in part):.0f} descriptors")

    def close(self) -> None:
        try:
            self.gate.stop_cleanly()
        finally:
            self.simulator.stop()
            self.block.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--hours", type=float, default=0)
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    seconds = chosen.hours * 3600 or chosen.minutes * 60
    with tempfile.TemporaryDirectory(prefix="chipgate-soak-") as folder:
        soak = Soak(Path(folder), chosen.seed)
        try:
            asyncio.run(soak.live(seconds))
            found = soak.settle() + growth(soak.samples)
            soak.report()
        finally:
            soak.close()
    print("\n".join(found) or "nothing grew")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
