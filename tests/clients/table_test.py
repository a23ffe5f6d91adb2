#!/usr/bin/env python3
"""The table of clients in docs is the one that the suite runs."""

from __future__ import annotations

import sys
import unittest

sys.dont_write_bytecode = True
import clients


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


if __name__ == "__main__":
    unittest.main(verbosity=2)
