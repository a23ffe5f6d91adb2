#!/usr/bin/env python3
"""The ways in which Node programs use a proxy that the suite has no client for: without TLS, and by Node's own fetch."""

from __future__ import annotations

import sys
import unittest

sys.dont_write_bytecode = True
import nodes
import stack


class Fetches(stack.StackTest):
    def test_every_way_leaves_by_the_chips_exit(self) -> None:
        for chip in self.chips:
            exit_address = self.exit_of(chip)
            client = nodes.start("fetches.mjs", self.ports[chip], "http://exit-ip.sim/", "https://exit-ip.sim/",
                                 trust=self.folder / "sim-ca.pem")
            self.addCleanup(client.stop)
            self.assertEqual(client.wait(3 * stack.ANSWER_SECONDS), 0, client.said())
            answers = client.out.all()
            self.assertEqual(len(answers), 3, client.said())
            for answer in answers:
                with self.subTest(chip=chip, how=answer["how"]):
                    self.assertEqual(answer.get("body"), exit_address, answer)


if __name__ == "__main__":
    nodes.require_node()
    unittest.main(verbosity=2)
