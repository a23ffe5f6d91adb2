#!/usr/bin/env python3
"""The gateway is killed under its tunnels, and comes back without a memory: clients hear of it at once, no assignment ends
for it, and they are served again."""

from __future__ import annotations

import signal
import time
import unittest
from pathlib import Path

import life
import rig
import wire
from ports import PortBlock
from recovering import BACK_SECONDS, back
from wire import stack

TUNNELS = 10
# What a busy machine may take to tell all of them.
TOLD_SECONDS = 5.0


class GatewayKilled(life.LifeTest):
    def setUp(self) -> None:
        super().setUp()
        self.block = PortBlock()
        self.addCleanup(self.block.close)

    def provider(self, *arguments: str | Path) -> rig.Provider:
        """On a port that it finds again, and without a complaint about its end."""
        process, listening = stack.gateway_sim(*stack.credentials(), "--http", f"127.0.0.1:{self.block.fixed}", *arguments)
        self.addCleanup(process.stop)
        return rig.Provider(process, listening)

    def connected(self, *chips: str) -> None:
        for chip in chips:
            self.operator.put(chip, connect="on_demand")
            self.operator.connect(chip)
        self.held = {chip: self.assignment(chip) for chip in chips}

    def assignment(self, chip: str) -> tuple[int, str, list[str]]:
        assignment = self.operator.chip(chip)["assignment"]
        return assignment["id"], assignment["session_identifier"], assignment["exit_ips"]

    def kill_gateway(self) -> None:
        self.sim.process.signal(signal.SIGKILL)
        self.sim.process.wait(stack.STOP_SECONDS)

    def freeze_gateway(self) -> None:
        self.sim.process.signal(signal.SIGSTOP)
        threads = Path(f"/proc/{self.sim.process.pid}/task")
        wire.until(lambda: all(one.read_text().rsplit(")", 1)[1].split()[0] == "T" for one in threads.glob("*/stat")),
                   "every thread of the gateway has stopped")

    def assert_end(self, clients: list[wire.Client], *ways: str) -> None:
        began = time.monotonic()
        for client in clients:
            self.assertIn(client.rest()[1], ways)
            client.close()
        self.assertLess(time.monotonic() - began, TOLD_SECONDS)
        wire.until(lambda: not any(self.gate.metric("chipgate_tunnels_open", chip=chip) for chip in self.held),
                   "no tunnel is left")

    def assert_kept(self) -> None:
        self.assertEqual({chip: self.assignment(chip) for chip in self.held}, self.held)

    def assert_back(self) -> None:
        for chip in self.held:
            self.assertLess(back(int(self.operator.chip(chip)["port"])), BACK_SECONDS)

    def test_a_chip_keeps_its_exit_and_its_clients_come_back_by_it(self) -> None:
        self.live("--pool", "1")
        self.connected("alpha")
        clients = [self.client("alpha") for _ in range(TUNNELS)]
        self.kill_gateway()
        # Its kernel closes what was quiet.
        self.assert_end(clients, "eof", "reset")
        self.assertEqual(self.refused("alpha"), "gateway_refused")
        self.assert_kept()
        self.sim = self.provider("--pool", "1")
        self.assert_back()
        self.client("alpha", "after.sim:7")
        self.assert_kept()
        self.assertEqual(self.sources("after.sim:7"), set(self.held["alpha"][2]))

    def test_clients_whose_words_it_never_read_are_reset(self) -> None:
        self.live("--pool", "1")
        self.connected("alpha")
        clients = [self.client("alpha") for _ in range(TUNNELS)]
        carried = lambda: self.gate.metric("chipgate_tunnel_bytes_total", chip="alpha", direction="up")  # noqa: E731
        before = carried()
        self.freeze_gateway()
        for client in clients:
            client.send(b"unread")
        wire.until(lambda: carried() == before + TUNNELS * len(b"unread"), "they are at the gateway")
        self.kill_gateway()
        self.assert_end(clients, "reset")
        self.assert_kept()

    def test_every_chip_asks_for_the_session_that_it_had(self) -> None:
        """What it knows of its exits is not asked for here: which session gets which, the new gateway decides."""
        self.live(verify={"enabled": False})
        self.connected("alpha", "beta", "gamma")
        clients = [self.client(chip) for chip in self.held]
        self.kill_gateway()
        self.assert_end(clients, "eof", "reset")
        for chip in self.held:
            self.assertEqual(self.refused(chip), "gateway_refused")
        self.sim = self.provider()
        self.assert_back()
        self.assert_kept()
        self.assertEqual(set(self.sim.exits()), {session for _, session, _ in self.held.values()})


if __name__ == "__main__":
    unittest.main()
