#!/usr/bin/env python3
"""Ten thousand chips in one process."""

from __future__ import annotations

import os
import resource
import unittest
from pathlib import Path

import rig
from wire import stack

CHIPS = 10_000
FIRST_PORT = 20_001
SAMPLE = range(1, CHIPS + 1, 331)
# Enough for a debug build under a sanitizer on a busy machine.
START_SECONDS = 60.0
# What several scrapes of 50,000 samples may add; rendering all of it at once would add more.
SCRAPE_BYTES = 60_000_000
# What a chip needs besides its port is counted for its tunnels.
DESCRIPTORS_NEEDED = 9 * CHIPS


def peak_bytes(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


class Scale(rig.RigTest):
    def test_ten_thousand_chips_start_serve_and_are_measured(self) -> None:
        sim = self.provider("--pool", str(CHIPS))
        configuration = self.configuration([f"http://{sim.http}"], [])
        configuration["chips"] = [{"id": "bot-{n}", "numbers": f"1-{CHIPS}", "port": FIRST_PORT}]
        # An address of its own: nobody else is on these ports.
        address = f"127.30.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
        configuration["listen"] = {"address": address}
        # The soft limit is the usual 1024: chipgate raises it by itself.
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        process = stack.Process("chipgate", [stack.BUILD / "chipgate", "serve", "--config", self.write(configuration)],
                                rig.SECRETS, ["prlimit", f"--nofile=1024:{hard}"])
        gate = rig.Gate(process, {}, 0)
        self.addCleanup(gate.end)
        process.require(process.err, lambda line: line.get("event") == "ready", "that it is ready", START_SECONDS)
        gate.ports = {line["chip"]: line["port"] for line in gate.said("port_open")}
        gate.admin = int(gate.line("admin_open")["port"])

        told = gate.line("descriptors")
        self.assertGreaterEqual(told["needed"], DESCRIPTORS_NEEDED)
        self.assertEqual((told["has"], told["had"]), (hard, 1024))
        self.assertEqual(len(gate.said("few_descriptors")), int(hard < told["needed"]))

        self.assertEqual(sorted(gate.ports.values()), list(range(FIRST_PORT, FIRST_PORT + CHIPS)))
        sample = [f"bot-{number}" for number in SAMPLE]
        exits = {rig.exit_of(gate.ports[chip], host=address) for chip in sample}
        self.assertEqual(len(exits), len(sample))

        before = peak_bytes(process.pid)
        for _ in range(3):
            samples = stack.metrics(gate.admin)
        opened = {name: value for name, value in samples.items() if name.startswith("chipgate_tunnels_opened_total{")}
        self.assertEqual((len(opened), sum(opened.values())), (CHIPS, len(sample)))
        self.assertEqual(samples["chipgate_log_dropped_total"], 0)
        self.assertGreater(samples["process_open_fds"], CHIPS)
        if not stack.SANITIZED:  # they keep freed memory on purpose
            self.assertLess(peak_bytes(process.pid) - before, SCRAPE_BYTES)


if __name__ == "__main__":
    rig.require_descriptors(CHIPS + 1000)
    unittest.main()
