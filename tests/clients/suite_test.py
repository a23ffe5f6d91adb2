#!/usr/bin/env python3
"""Every client does all that WhatsApp software does through a proxy: clients × scenarios, with unmodified packages. Baileys
has a file of its own."""

from __future__ import annotations

import sys
import unittest
from typing import Any

sys.dont_write_bytecode = True
import drivers
from clients import Client
from suite import Suite, crossed


@crossed("node")
class Node(Suite):
    # Asked for nothing but a refusal, so it is in no table.
    old_axios = Client("axios 1.6", "node")
    clients = (old_axios,)
    driven_by = "node"

    def test_axios_1_6_is_refused_with_the_reason(self) -> None:
        """It sends `GET https://` in clear text where it is to use a proxy, and must be told that it does."""
        answer = self.does(self.old_axios, "page", url=f"https://{drivers.WHATSAPP}/page")
        self.assertEqual(answer["status"], 400)
        self.assertIn("CONNECT", answer["body"])


@crossed("ws")
class Ws(Suite):
    driven_by = "node"

    def target_ends(self, client: Client) -> None:
        """By a frame and then its connection."""
        answer = self.does(client, "farewell", url=f"wss://{drivers.WHATSAPP}/ws/farewell", message="last frame")
        self.assertEqual((answer["answer"], answer["code"]), ("last frame", 1000))
        self.has_no_tunnels(client)


@crossed("chromium")
class Chromium(Suite):
    pass


@crossed("go")
class Go(Suite):
    pass


@crossed("curl")
class Curl(Suite):
    pass


@crossed("stdlib")
class Python(Suite):
    pass


def load_tests(loader: unittest.TestLoader, _tests: Any, _pattern: Any) -> unittest.TestSuite:
    """All but the class of scenarios itself."""
    return unittest.TestSuite(loader.loadTestsFromTestCase(one) for one in (Node, Ws, Chromium, Go, Curl, Python))


if __name__ == "__main__":
    named = sys.argv[1:] or [Chromium.__name__, Go.__name__]
    drivers.require_clients(*(suite.__name__.lower() for suite in (Chromium, Go) if suite.__name__ in named))
    unittest.main(verbosity=2)
