#!/usr/bin/env python3
"""A real, unmodified Baileys of either version, by HTTP and by SOCKS: its WebSocket, its media, and nothing left behind. What
it is told of every other failure is the matrix's business."""

from __future__ import annotations

import sys
import unittest
from typing import Any

sys.dont_write_bytecode = True
import drivers
import stack
from clients import Client
from suite import MEDIA, MEDIA_BYTES, TOLD_SECONDS, TUNNELS, Suite, crossed, wire

# Baileys' header, the length 36 in three bytes, and a Noise ClientHello with a key of 32 bytes.
FIRST_FRAME_START = bytes.fromhex("57410603" "000024" "12220a20")
FIRST_FRAME_SIZE = 43
TERMINATED = 428


class BaileysSuite(Suite):
    """The scenarios as a Baileys does them, which knows one WebSocket and media."""

    def login(self, driver: drivers.Driver, client: Client, **more: Any) -> int:
        number = driver.begin(**self.job(client, "login", **more))
        self.addCleanup(self.end, driver, number)
        return number

    def end(self, driver: drivers.Driver, number: int) -> None:
        if driver.process.running():
            driver.begin(task="end", of=number)

    def first_messages(self, path: str) -> list[stack.Line]:
        return [line for line in self.whatsapp.process.out.all()
                if line.get("event") == "first_message" and line["path"] == path]

    def assert_first_frame(self, client: Client, message: stack.Line) -> None:
        frame = bytes.fromhex(message["hex"])
        self.assertEqual((len(frame), frame[: len(FIRST_FRAME_START)]), (FIRST_FRAME_SIZE, FIRST_FRAME_START))
        self.assertTrue(message["binary"])
        self.assertEqual((message["host"], message["origin"]), (drivers.WHATSAPP, f"https://{drivers.WHATSAPP}"))
        # The server sees the chip's exit, so the message came through this chip and no other way.
        self.assertEqual(message["address"], self.exit_of(client.chip))

    def websocket(self, client: Client) -> None:
        """Where it goes if nobody says otherwise."""
        exit_address = self.exit_of(client.chip)
        number = self.login(self.driver, client)
        message = self.whatsapp.heard(exit_address, stack.READY_SECONDS, event="first_message", path="/ws/chat")
        self.assertIsNotNone(message, f"no message came from {exit_address}; {self.driver.process.said()}")
        self.assert_first_frame(client, message or {})
        self.assertEqual(self.metric("chipgate_tunnels_open", client), 1, "the WebSocket is one tunnel of its chip")
        self.end(self.driver, number)
        self.has_no_tunnels(client)

    def media(self, client: Client) -> None:
        """A file, encrypted, there and back."""
        exit_address = self.exit_of(client.chip)
        got = self.does(client, "media", bytes=MEDIA_BYTES, host=drivers.MEDIA)
        self.assertEqual({key: got[key] for key in MEDIA}, MEDIA)
        requests = [line for line in self.whatsapp.process.out.all()
                    if str(line.get("path", "")).startswith("/mms/") and line["address"] == exit_address]
        self.assertEqual([line["method"] for line in requests], ["POST", "GET"], requests)

    def twenty(self, client: Client) -> None:
        """All of them stay, each with its first frame at its target."""
        path = f"/ws/chat/twenty/{client.chip}"
        numbers = [self.login(self.driver, client, url=f"wss://{drivers.WHATSAPP}{path}") for _ in range(TUNNELS)]
        wire.until(lambda: len(self.first_messages(path)) == TUNNELS, "every one has sent its first frame",
                   2 * stack.READY_SECONDS)
        for number in numbers:
            self.assertIsNotNone(self.driver.line(number, TOLD_SECONDS, ("upgraded",)))
            self.assertIsNone(self.driver.line(number, 0, ("close",)))
        for message in self.first_messages(path):
            self.assert_first_frame(client, message)
        self.assertEqual(self.metric("chipgate_tunnels_open", client), TUNNELS)
        for number in numbers:
            self.end(self.driver, number)
        self.has_no_tunnels(client)

    def waiting(self, driver: drivers.Driver, client: Client) -> int:
        """Its WebSocket is open, its first frame there, and it waits for WhatsApp's."""
        path = f"/ws/chat/{next(stack.NUMBERS)}"
        number = self.login(driver, client, url=f"wss://{drivers.WHATSAPP}{path}")
        wire.until(lambda: self.first_messages(path), f"the first frame of {client.name}", stack.READY_SECONDS)
        return number

    def gateway_cuts(self, client: Client) -> None:
        for how in ("rst", "fin"):
            with self.subTest(how=how):
                number = self.waiting(self.driver, client)
                self.cut(client, how)
                self.is_told(number)
                self.has_no_tunnels(client)

    def target_ends(self, client: Client) -> None:
        """WhatsApp answers the first frame by ending the WebSocket."""
        self.is_told(self.login(self.driver, client, url=f"wss://{drivers.WHATSAPP}/ws/farewell"))
        self.has_no_tunnels(client)

    def is_told(self, number: int) -> None:
        """At once, and as what it is to reconnect after."""
        line = self.driver.line(number, TOLD_SECONDS, ("close",))
        self.assertEqual((line or {}).get("code"), TERMINATED, line)


@crossed("baileys")
class Baileys7(BaileysSuite):
    """The newest version."""


@crossed("baileys6")
class Baileys6(BaileysSuite):
    """The version that most bots have."""


def load_tests(loader: unittest.TestLoader, _tests: Any, _pattern: Any) -> unittest.TestSuite:
    return unittest.TestSuite(loader.loadTestsFromTestCase(one) for one in (Baileys7, Baileys6))


if __name__ == "__main__":
    drivers.require_clients()
    unittest.main(verbosity=2)
