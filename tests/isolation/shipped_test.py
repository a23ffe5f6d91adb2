#!/usr/bin/env python3
"""What ships against leaks, without a network: the units of docs/bypass.md are ones that systemd takes, the network
namespace is taken away in an order that opens nothing, and the page has all that the doctor looks at."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
import documented
from documented import stack

NETNS = stack.REPOSITORY / "config/bypass-netns.sh"
# What the page's units refer to, and what its drop-ins are for.
STUB = "[Unit]\nDescription=Stands for the real one\n\n[Service]\nType=oneshot\nExecStart=/bin/true\n"


class Shipped(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="chipgate-shipped-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)


class Units(Shipped):
    def verified(self, name: str, text: str) -> str:
        """What systemd has to say of a unit, or of a drop-in for one; nothing where it is well."""
        systemd = Path(tempfile.mkdtemp(dir=self.folder))
        etc = systemd / "chipgate"
        documented.install(etc)
        for stub in ("nftables", "chipgate", "bot"):
            (systemd / f"{stub}.service").write_text(STUB)
        path = systemd / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.replace(documented.ETC, str(etc)))
        unit = name.removesuffix(".d/override.conf")
        # Its own folder first, then systemd's.
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=60,
                              env={**os.environ, "SYSTEMD_UNIT_PATH": f"{systemd}:", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        return done.stderr if done.stderr or done.returncode == 0 else f"exit status {done.returncode}"

    def setUp(self) -> None:
        super().setUp()
        if shutil.which("systemd-analyze") is None:
            self.skipTest("there is no systemd-analyze")

    def test_systemd_takes_every_unit_of_the_page(self) -> None:
        names = {name for name, _ in documented.units()}
        self.assertLessEqual({"bot.service.d/override.conf", "chipgate-bypass.service", "chipgate-clients.service"}, names)
        for name, text in documented.units():
            with self.subTest(unit=name, text=text):
                self.assertEqual(self.verified(name, text), "")

    def test_a_mistake_in_one_would_be_found(self) -> None:
        for line in ("ExecStartPre=+/etc/chipgate/not-installed", "NetworkNamespacePath=clients", "InaccessiblePath=-/run/nscd"):
            with self.subTest(line):
                self.assertNotEqual(self.verified("bot.service.d/override.conf", f"[Service]\n{line}\n"), "")


class Paths(unittest.TestCase):
    def test_no_path_that_is_not_there_keeps_a_unit_from_starting(self) -> None:
        """systemd ends such a unit with 226/NAMESPACE, unless there is a dash; it does not look before it starts it."""
        hidden = [path for _, text in documented.units() for line in text.splitlines()
                  if line.startswith("InaccessiblePaths=") for path in line.partition("=")[2].split()]
        self.assertTrue(hidden)
        self.assertEqual([path for path in hidden if not path.startswith("-/")], [])

    def test_clients_start_with_their_rules_and_not_only_behind_them(self) -> None:
        self.assertTrue(any("Requires=nftables.service\nAfter=nftables.service" in text for _, text in documented.units()))
        for name, text in documented.units():
            if name.startswith("chipgate-"):
                with self.subTest(unit=name):
                    self.assertRegex(text, r"\nBefore=.*bot\.service")
                    self.assertRegex(text, r"\nRequiredBy=.*bot\.service")


class Doctor(unittest.TestCase):
    def test_the_page_has_every_check(self) -> None:
        sources = "".join(path.read_text() for path in (stack.REPOSITORY / "src/cli").glob("*.cpp"))
        checks = set(re.findall(r'found\.push_back\(\s*\{"(\w+)"', sources))
        self.assertIn("silent_chips", checks)
        table = re.search(r"^\| check \|.*?\n\n", documented.PAGE.read_text(), re.S | re.M)
        assert table
        told = {name for line in table[0].strip().splitlines() for name in re.findall(r"`(\w+)`", line.split("|")[1])}
        self.assertEqual(told, checks)


class TakenAway(Shipped):
    def test_the_wire_goes_before_its_rules(self) -> None:
        """Between the two, clients would reach all that listens on the host."""
        said = self.folder / "said"
        for name in ("ip", "nft"):
            command = self.folder / name
            command.write_text(f'#!/bin/sh\necho "{name} $*" >>{said}\n')
            command.chmod(0o755)
        path = f"{self.folder}:{os.environ['PATH']}"
        subprocess.run([NETNS, "down"], check=True, timeout=20, env={**os.environ, "PATH": path})
        order = said.read_text().splitlines()
        self.assertLess(order.index("ip link delete chipgate0"), order.index("nft delete table inet chipgate_netns"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
