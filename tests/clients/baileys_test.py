#!/usr/bin/env python3
"""A real, unmodified Baileys opens its WebSocket through chipgate, and is told of failures in the way it can handle."""

from __future__ import annotations

import sys
import unittest

sys.dont_write_bytecode = True
import nodes
import stack

WHATSAPP = "web.whatsapp.com"
# Baileys' header, the length 36 in three bytes, and a Noise ClientHello with a key of 32 bytes.
FIRST_FRAME_START = bytes.fromhex("57410603" "000024" "12220a20")
FIRST_FRAME_SIZE = 43
REQUEST_TIMED_OUT = 408


class Baileys(stack.StackTest):
    @classmethod
    def prepare(cls) -> None:
        cls.authority, certificate, key = nodes.make_certificate(cls.folder, WHATSAPP)
        cls.whatsapp = nodes.start("whatsapp.mjs", certificate, key)
        cls.addClassCleanup(cls.whatsapp.stop)
        listening = cls.whatsapp.require(cls.whatsapp.out, lambda line: line.get("event") == "listening", "its port")
        cls.whatsapp_port = listening["port"]

    @classmethod
    def simulator_arguments(cls) -> list[str]:
        return ["--map", f"{WHATSAPP}:443=127.0.0.1:{cls.whatsapp_port}"]

    def delivers_its_first_frame(self, scheme: str, chip: str) -> None:
        exit_address = self.exit_of(chip)
        client = nodes.start("baileys.mjs", f"{scheme}://127.0.0.1:{self.ports[chip]}", trust=self.authority)
        self.addCleanup(client.stop)

        # The server sees the chip's exit, so a message from there came through this chip and no other way.
        message = self.whatsapp.out.first(
            lambda line: line.get("event") == "first_message" and line["address"] == exit_address, stack.READY_SECONDS)
        self.assertIsNotNone(message, f"no message came from {exit_address}; {client.said()}\n{self.gate.said()}")
        frame = bytes.fromhex(message["hex"])
        self.assertEqual(len(frame), FIRST_FRAME_SIZE)
        self.assertEqual(frame[: len(FIRST_FRAME_START)], FIRST_FRAME_START)
        self.assertTrue(message["binary"])
        self.assertEqual((message["path"], message["host"], message["origin"]),
                         ("/ws/chat", WHATSAPP, f"https://{WHATSAPP}"))
        opened = stack.metrics(self.admin)[f'chipgate_tunnels_open{{chip="{chip}"}}']
        self.assertEqual(opened, 1, "the WebSocket is one tunnel of its chip")

    def test_http_proxy_agent(self) -> None:
        self.delivers_its_first_frame("http", "alpha")

    def test_socks_proxy_agent(self) -> None:
        self.delivers_its_first_frame("socks5h", "beta")


class BaileysWithoutGateway(stack.StackTest):
    """A refusal must end Baileys' attempt with 408: anything else hangs it, or reads as a lost login."""

    def setUp(self) -> None:
        self.simulator.stop()

    def is_told(self, scheme: str, chip: str) -> None:
        client = nodes.start("baileys.mjs", f"{scheme}://127.0.0.1:{self.ports[chip]}")
        self.addCleanup(client.stop)
        closed = client.out.first(lambda line: line.get("event") == "close", stack.READY_SECONDS)
        self.assertIsNotNone(closed, f"Baileys was left hanging; {self.gate.said()}")
        self.assertEqual(closed["code"], REQUEST_TIMED_OUT, closed)
        self.assertLess(closed["seconds"], stack.ANSWER_SECONDS)

    def test_http_proxy_agent(self) -> None:
        self.is_told("http", "alpha")

    def test_socks_proxy_agent(self) -> None:
        self.is_told("socks5h", "beta")


if __name__ == "__main__":
    nodes.require_node()
    unittest.main(verbosity=2)
