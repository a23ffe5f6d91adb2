#!/usr/bin/env python3
"""The tables in docs are what the tests run: of clients, their versions among it, and of failures."""

from __future__ import annotations

import json
import re
import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
import clients
import failures

HERE = Path(__file__).resolve().parent
# What a client that is no package of its own name is in package.json.
PACKAGES = {"Baileys": "@whiskeysockets/baileys"}


def installed(folder: str) -> dict[str, set[str]]:
    """The versions of each package, by its own name, under whatever names they are installed."""
    found: dict[str, set[str]] = {}
    for name, wanted in json.loads((HERE / folder / "package.json").read_text())["dependencies"].items():
        own, _, version = wanted.removeprefix("npm:").rpartition("@") if wanted.startswith("npm:") else (name, "", wanted)
        found.setdefault(own, set()).add(version)
    return found


def kinds_of_faults() -> set[tuple[str, str]]:
    """Each kind with each stage that it belongs to, from the simulator's own table."""
    source = (HERE.parent / "sim/faults.cpp").read_text()
    rows = re.findall(r'\{(\w+), "\1", ((?:at\(\w+\)(?: \| )?)+)\}', source)
    return {(stage, kind) for kind, stages in rows for stage in re.findall(r"at\((\w+)\)", stages)}


class Table(unittest.TestCase):
    def test_the_page_says_what_the_suite_does(self) -> None:
        self.assertEqual(clients.written()[1], clients.table(), "tests/clients/clients.py --write writes it")

    def test_every_client_does_something_and_lacks_nothing_unknown(self) -> None:
        for client in clients.CLIENTS:
            with self.subTest(client=client.name):
                self.assertLessEqual(set(client.lacks), set(clients.SCENARIOS))
                # Whatever uses a proxy can do these.
                self.assertFalse({"twenty", "client_killed", "gateway_cuts", "target_ends"} & set(client.lacks))
                self.assertTrue({"page", "websocket"} & set(client.scenarios))

    def test_a_version_that_a_client_is_named_by_is_the_one_that_is_installed(self) -> None:
        named = 0
        for client in clients.CLIENTS:
            if found := re.match(r"(\S+) (\d\S*)", client.name):
                versions = installed("baileys6" if client.kind == "baileys6" else ".")[PACKAGES.get(found[1], found[1])]
                named += 1
                with self.subTest(client=client.name):
                    self.assertTrue(any(f"{version}.".startswith(f"{found[2]}.") for version in versions), versions)
        self.assertGreater(named, 0)


class Matrix(unittest.TestCase):
    def test_every_fault_of_the_simulator_has_a_row(self) -> None:
        known = kinds_of_faults()
        self.assertGreater(len(known), 20, "the simulator's table is not read right")
        rows = {(row.fault["stage"], row.fault["kind"]) for row in failures.ROWS if row.fault}
        self.assertEqual(known - rows, set(), "tests/clients/failures.py has no row for these")
        self.assertEqual(rows - known, set(), "the simulator knows no such faults")


if __name__ == "__main__":
    unittest.main(verbosity=2)
