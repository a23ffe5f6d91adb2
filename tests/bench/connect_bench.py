#!/usr/bin/env python3
"""How long a fleet takes to be connected, and what a CONNECT of an active chip costs the ledger: nothing.

The simulator answers as late as a gateway does that is a round trip away: it waits once after a connection was made, once
before it answers the CONNECT, and its pages wait once more. Everything else is at chipgate's own settings."""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True
TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "support"), str(TESTS / "integration")]
import stack  # noqa: E402
import wire  # noqa: E402

LOOKS = ("look-one.sim", "look-two.sim")


def wakes(pid: int) -> dict[str, int]:
    """How often each thread of the ledger has slept and gone on."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        if name.startswith("ledger"):
            status = (task / "status").read_text()
            found[name] = int(status.split("\nvoluntary_ctxt_switches:")[1].split()[0])
    return found


def measure(chips: int, connects: int, round_trip: int, folder: Path) -> None:
    simulator, sim = stack.gateway_sim(
        "--http", "127.0.0.1:0", "--api", "127.0.0.1:0", *stack.credentials(), "--pool", str(4 * chips), "--draw",
        "random", "--seed", "1", "--latency", f"{round_trip}ms")
    for stage in ("accept", "origin"):
        wire.Simulator(sim["api"]).fault(stage, "slow", delay_ms=round_trip)
    ids = [f"chip{number:04}" for number in range(chips)]
    configuration = stack.configuration(
        f"http://{sim['http']}", [], admin={"listen": f"unix:{folder}/api.sock", "token_file": f"{folder}/token"},
        verify={"echoes_v4": [f"http://{host}/" for host in LOOKS]}, ledger={"path": f"{folder}/ledger.db"},
        log={"format": "json", "access": False})
    configuration["chips"] = [{"id": chip, "port": 0, "connect": "manual"} for chip in ids]
    path = folder / "chipgate.yaml"
    path.write_text(stack.json.dumps(configuration))
    gate = stack.Process("chipgate", [stack.BUILD / "chipgate", "serve", "--config", path],
                         {"CHIPGATE_TEST_PASSWORD": stack.PASSWORD})
    try:
        gate.require(gate.err, lambda line: line.get("event") == "ready", "that it is ready")
        ports = [int(line["port"]) for line in gate.err.all() if line.get("event") == "port_open"]
        environment = {**os.environ, "CHIPGATE_TEST_PASSWORD": stack.PASSWORD}
        began = time.monotonic()
        done = subprocess.run([stack.BUILD / "chipgate", "chips", "connect", "--all", "--config", path],
                              capture_output=True, text=True, env=environment, timeout=600)
        took = time.monotonic() - began
        if done.returncode != 0:
            raise SystemExit(done.stdout + done.stderr)
        drawn = [line for line in gate.err.all() if line.get("event") == "assigned"]
        print(f"connect of {chips} chips: {took:.1f} s, {len(drawn) / took:.0f} chips a second")

        before, times = wakes(gate.pid), []
        for number in range(connects):
            began = time.monotonic()
            wire.tunnel(ports[number % chips], "bench.sim:7").close()
            times.append(time.monotonic() - began)
        woken = {name: count - before[name] for name, count in wakes(gate.pid).items()}
        print(f"CONNECT of active chips: {connects} in {sum(times):.1f} s, median {statistics.median(times) * 1000:.0f} ms")
        print(f"the ledger's threads woke meanwhile: {woken}")
    finally:
        gate.stop()
        simulator.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chips", type=int, default=500)
    parser.add_argument("--connects", type=int, default=100)
    parser.add_argument("--round-trip", type=int, default=50, help="in milliseconds")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chipgate-bench-") as folder:
        measure(chosen.chips, chosen.connects, chosen.round_trip, Path(folder))


if __name__ == "__main__":
    main()
