#!/usr/bin/env python3
"""One chip, one session, one exit: whatever protocol its clients speak, and however many there are."""

from __future__ import annotations

import concurrent.futures
import re
import time
import unittest

import rig
import wire

CHIPS = [f"chip-{number}" for number in range(1, 26)]
ROUNDS = 12


class Stickiness(rig.RigTest):
    def test_a_chip_has_one_exit_by_every_protocol_and_no_other_chip_has_it(self) -> None:
        provider = self.provider()
        gate = self.gate(f"http://{provider.http}", ["alpha", "beta", "gamma"])
        exits = {}
        for chip, port in gate.ports.items():
            seen = {rig.exit_of(port, way) for way in rig.WAYS for _ in range(2)}
            self.assertEqual(len(seen), 1, f"{chip} left by {seen}")
            exits[chip] = seen.pop()
        self.assertEqual(len(set(exits.values())), 3, exits)

    def test_an_identifier_is_the_chip_and_the_second_and_no_two_are_equal(self) -> None:
        provider = self.provider()
        before = int(time.time())
        gate = self.gate(f"http://{provider.http}", ["alpha", "5f3c2a10-0000-4000-8000-123456789abc", "with.dots_and-dashes"])
        after = int(time.time())
        identifiers = {line["chip"]: line["session"] for line in gate.said("assigned")}
        self.assertEqual(set(identifiers), set(gate.ports))
        for chip, identifier in identifiers.items():
            found = re.fullmatch(rf"chip-{re.escape(chip)}-(\d+)", identifier)
            self.assertTrue(found, identifier)
            self.assertTrue(before <= int(found[1]) <= after, identifier)
            rig.exit_of(gate.ports[chip])
        # The provider was given the identifiers themselves, and nothing else.
        self.assertEqual(set(provider.exits()), set(identifiers.values()))

    def test_exits_hold_over_hundreds_of_connections_as_the_origins_saw_them(self) -> None:
        provider = self.provider("--pool", str(len(CHIPS)))
        gate = self.gate(f"http://{provider.http}", CHIPS)
        work = [(chip, rig.WAYS[number % len(rig.WAYS)]) for number in range(ROUNDS) for chip in CHIPS]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda job: rig.exit_of(gate.ports[job[0]], job[1]), work))
        sources: dict[str, set[str]] = {}
        # Every chip also asks for a target of its own, which joins the origins' view to the chip.
        for chip in CHIPS:
            with wire.tunnel(gate.ports[chip], f"{chip}.audit.sim:80") as client:
                rig.ask_over(client)
        connections = 0
        for entry in provider.log():
            if entry["event"] == "opened":
                connections += 1
                sources.setdefault(entry["target"], set()).add(entry["source"])
        self.assertEqual(connections, len(work) + len(CHIPS))
        own = [sources[f"{chip}.audit.sim:80"] for chip in CHIPS]
        self.assertTrue(all(len(exits) == 1 for exits in own), own)
        self.assertEqual(len(set().union(*own)), len(CHIPS), own)
        self.assertEqual(sources[f"{rig.EXIT_PAGE}:80"], set().union(*own))
        self.assertEqual(provider.stats()["origin_direct"], 0)

    def test_every_chip_keeps_its_own_exit_under_parallel_clients(self) -> None:
        """Each connection names its chip, so that one that left by another's exit is seen."""
        provider = self.provider()
        gate = self.gate(f"http://{provider.http}", CHIPS[:8])
        jobs = [(chip, number) for number in range(40) for chip in CHIPS[:8]]

        def one(job: tuple[str, int]) -> None:
            chip, number = job
            with wire.tunnel(gate.ports[chip], f"{number}.{chip}.sim:80") as client:
                rig.ask_over(client)

        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            list(pool.map(one, jobs))
        exits: dict[str, set[str]] = {}
        for entry in provider.log():
            exits.setdefault(entry["target"].split(".")[1], set()).add(entry["source"])
        self.assertEqual({chip: len(seen) for chip, seen in exits.items()}, dict.fromkeys(CHIPS[:8], 1))
        self.assertEqual(len(set().union(*exits.values())), 8)
        opened = sum(gate.metric("chipgate_tunnels_opened_total", chip=chip) for chip in CHIPS[:8])
        self.assertEqual(opened, len(jobs))

    def test_a_session_may_stand_in_the_password(self) -> None:
        """iproyal: exactly eight letters and digits, after the password."""
        provider = self.provider("--grammar", "iproyal")
        gate = self.gate(f"http://{provider.http}", ["alpha", "beta"], {"preset": "iproyal", "country": "br"})
        exits = {chip: {rig.exit_of(port, way) for way in rig.WAYS} for chip, port in gate.ports.items()}
        self.assertEqual([len(seen) for seen in exits.values()], [1, 1])
        self.assertNotEqual(exits["alpha"], exits["beta"])
        sessions = provider.exits()
        self.assertEqual(len(sessions), 2)
        for session in sessions:
            self.assertRegex(session, r"\A[a-z0-9]{8}\Z")

    def test_a_grammar_of_ones_own_is_spoken(self) -> None:
        provider = self.provider("--session-marker", "+id+")
        gate = self.gate(f"http://{provider.http}", ["alpha", "beta"],
                         {"preset": "custom", "username_template": "{username}+id+{session}",
                          "session": {"alphabet": "0123456789", "length": 12}})
        self.assertNotEqual(rig.exit_of(gate.ports["alpha"]), rig.exit_of(gate.ports["beta"]))
        for session in provider.exits():
            self.assertRegex(session, r"\A[0-9]{12}\Z")


if __name__ == "__main__":
    unittest.main()
