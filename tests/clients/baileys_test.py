#!/usr/bin/env python3
"""A real, unmodified Baileys of either version opens its WebSocket through chipgate, moves media, and leaves nothing behind.
What it is told of failures is the matrix's business."""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import unittest

sys.dont_write_bytecode = True
import drivers
import stack
sys.path.insert(0, str(drivers.HERE.parent / "integration"))
import wire  # noqa: E402

# Baileys' header, the length 36 in three bytes, and a Noise ClientHello with a key of 32 bytes.
FIRST_FRAME_START = bytes.fromhex("57410603" "000024" "12220a20")
FIRST_FRAME_SIZE = 43
MEDIA_BYTES = 16 * 1024 * 1024


class Baileys(stack.StackTest):
    """Of the newest version."""

    kind = "baileys"
    # Each test has a chip, and with it an exit, of its own.
    chips = ["http", "socks5h", "killed", "media"]

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        cls.driver = cls.start_driver()
        cls.addClassCleanup(cls.driver.stop)

    @classmethod
    def prepare(cls) -> None:
        cls.whatsapp = drivers.Whatsapp(cls.folder)
        cls.addClassCleanup(cls.whatsapp.process.stop)

    @classmethod
    def simulator_arguments(cls) -> list[str]:
        return cls.whatsapp.mapping()

    @classmethod
    def start_driver(cls) -> drivers.Driver:
        return drivers.start(cls.kind, cls.whatsapp, cls.folder)

    def tunnels(self, chip: str) -> float:
        return stack.metrics(self.admin)[f'chipgate_tunnels_open{{chip="{chip}"}}']

    def delivers_its_first_frame(self, driver: drivers.Driver, scheme: str, chip: str) -> None:
        exit_address = self.exit_of(chip)
        job = driver.begin(task="login", proxy=f"{scheme}://127.0.0.1:{self.ports[chip]}")
        self.addCleanup(driver.begin, task="end", of=job)

        # The server sees the chip's exit, so a message from there came through this chip and no other way.
        message = self.whatsapp.heard(exit_address, stack.READY_SECONDS, event="first_message", path="/ws/chat")
        self.assertIsNotNone(message, f"no message came from {exit_address}; {driver.process.said()}")
        frame = bytes.fromhex(message["hex"])
        self.assertEqual(len(frame), FIRST_FRAME_SIZE)
        self.assertEqual(frame[: len(FIRST_FRAME_START)], FIRST_FRAME_START)
        self.assertTrue(message["binary"])
        self.assertEqual((message["host"], message["origin"]), (drivers.WHATSAPP, f"https://{drivers.WHATSAPP}"))
        self.assertEqual(self.tunnels(chip), 1, "the WebSocket is one tunnel of its chip")

    def test_http_proxy_agent(self) -> None:
        self.delivers_its_first_frame(self.driver, "http", "http")

    def test_socks_proxy_agent(self) -> None:
        self.delivers_its_first_frame(self.driver, "socks5h", "socks5h")

    def test_who_is_killed_leaves_no_tunnel(self) -> None:
        driver = self.start_driver()
        self.addCleanup(driver.stop)
        exit_address = self.exit_of("killed")
        driver.begin(task="login", proxy=f"http://127.0.0.1:{self.ports['killed']}")
        self.assertIsNotNone(
            self.whatsapp.heard(exit_address, stack.READY_SECONDS, event="first_message", path="/ws/chat"))
        self.assertEqual(self.tunnels("killed"), 1)
        os.kill(driver.killed, signal.SIGKILL)
        wire.until(lambda: self.tunnels("killed") == 0, "no tunnel is left")

    def test_media_go_there_and_back_by_the_chips_exit(self) -> None:
        exit_address = self.exit_of("media")
        got = self.driver.ask(task="media", proxy=f"http://127.0.0.1:{self.ports['media']}", bytes=MEDIA_BYTES,
                              host=drivers.MEDIA)
        self.assertEqual((got.get("bytes"), got.get("sha256")),
                         (MEDIA_BYTES, hashlib.sha256(wire.pattern(MEDIA_BYTES)).hexdigest()), got)
        requests = [line for line in self.whatsapp.process.out.all() if str(line.get("path", "")).startswith("/mms/")]
        self.assertEqual([(line["method"], line["address"]) for line in requests],
                         [("POST", exit_address), ("GET", exit_address)])


class Baileys6(Baileys):
    """Of the version that most bots have."""

    kind = "baileys6"


if __name__ == "__main__":
    drivers.require_clients()
    unittest.main(verbosity=2)
