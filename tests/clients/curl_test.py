#!/usr/bin/env python3
"""curl in every way in which it can be pointed at a chip's port."""

from __future__ import annotations

import ipaddress
import subprocess
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import stack  # noqa: E402


class Curl(stack.StackTest):
    chips = ["alpha", "beta", "gamma"]

    def test_three_chips_have_three_exits_and_keep_them(self) -> None:
        exits = {chip: self.exit_of(chip) for chip in self.chips}
        for address in exits.values():
            ipaddress.ip_address(address)
        self.assertEqual(len(set(exits.values())), len(self.chips), exits)
        for _ in range(3):
            self.assertEqual({chip: self.exit_of(chip) for chip in self.chips}, exits)

    def test_every_scheme_leaves_by_the_same_exit(self) -> None:
        port, exit_address = self.ports["alpha"], self.exit_of("alpha")
        for scheme in ("http", "socks5h", "socks4a"):
            for target in ("http://exit-ip.sim/", "https://exit-ip.sim/"):
                with self.subTest(scheme=scheme, target=target):
                    self.assertEqual(self.curl("-x", f"{scheme}://127.0.0.1:{port}", target), exit_address)
        with self.subTest("CONNECT for a plain target"):
            self.assertEqual(self.curl("-p", "-x", f"http://127.0.0.1:{port}", "http://exit-ip.sim/"), exit_address)

    def test_one_connection_carries_several_requests(self) -> None:
        proxy, url = f"http://127.0.0.1:{self.ports['beta']}", "http://exit-ip.sim/"
        printed = self.curl("-x", proxy, "-w", "%{num_connects}\n", url, url, url)
        numbers = [line for line in printed.split() if line.isdigit()]
        self.assertEqual(numbers, ["1", "0", "0"], printed)

    def test_a_refusal_says_why(self) -> None:
        """curl has a User-Agent, so it is told by a status."""
        self.fault({"stage": "connect", "kind": "status", "status": 502, "target": "refused.sim"})
        done = subprocess.run(["curl", "-sS", "--max-time", "16", "-D", "-", "-x",
                               f"http://127.0.0.1:{self.ports['gamma']}", "https://refused.sim/"],
                              capture_output=True, text=True, timeout=30)
        self.assertRegex(done.stdout, r"^HTTP/1\.1 502 ")
        self.assertIn("x-chipgate-error: provider_session_lost", done.stdout.lower())
        self.assertIn("proxy-status: chipgate", done.stdout.lower())

    def test_nothing_secret_was_logged(self) -> None:
        self.exit_of("alpha")
        for line in self.gate.err.all() + self.gate.out.all():
            self.assertNotIn(stack.PASSWORD, str(line))


if __name__ == "__main__":
    unittest.main(verbosity=2)
