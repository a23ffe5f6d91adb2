#!/usr/bin/env python3
"""Every client does all that WhatsApp software does through a proxy: clients × scenarios, with unmodified packages."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import unittest
from dataclasses import dataclass
from typing import Any, Callable

sys.dont_write_bytecode = True
import drivers
import stack
sys.path.insert(0, str(drivers.HERE.parent / "integration"))
import wire  # noqa: E402

MEDIA_BYTES = 16 * 1024 * 1024
TUNNELS = 20
# A cut is told at once; the rest is for a busy machine.
TOLD_SECONDS = 8.0
REVERSING = ("half.sim", 13)
HTTP, SOCKS = "http", "socks5h"


@dataclass(frozen=True)
class Client:
    """One way of one program to use a proxy. `more` is what it can do beside what all can."""

    name: str
    scheme: str = HTTP
    more: tuple[str, ...] = ()


class Suite(stack.StackTest):
    """The scenarios. Each client has a chip of its own, so that counts are about it alone."""

    kind = ""
    clients: tuple[Client, ...] = ()

    @classmethod
    def setUpClass(cls) -> None:
        cls.chips = [cls.chip_of(client) for client in cls.clients]
        super().setUpClass()
        cls.provider = wire.Simulator(cls.sim["api"])
        cls.driver = drivers.start(cls.kind, cls.whatsapp, cls.folder)
        cls.addClassCleanup(cls.driver.stop)

    @classmethod
    def prepare(cls) -> None:
        cls.whatsapp = drivers.Whatsapp(cls.folder)
        cls.addClassCleanup(cls.whatsapp.process.stop)

    @classmethod
    def simulator_arguments(cls) -> list[str]:
        return cls.whatsapp.mapping()

    @staticmethod
    def chip_of(client: Client) -> str:
        return client.name.replace(" ", "_")

    def job(self, client: Client, task: str, **more: Any) -> dict[str, Any]:
        port = self.ports[self.chip_of(client)]
        return {"client": client.name, "task": task, "proxy": f"{client.scheme}://127.0.0.1:{port}", **more}

    def does(self, client: Client, task: str, **more: Any) -> stack.Line:
        answer = self.driver.ask(**self.job(client, task, **more))
        self.assertNotIn("error", answer, f"{client.name}\n{self.of_gate(client)}")
        return answer

    def of_gate(self, client: Client) -> str:
        """The last that chipgate said of its chip."""
        lines = [line for line in self.gate.err.all() if line.get("chip") == self.chip_of(client)]
        return "\n".join(map(json.dumps, lines[-5:]))

    def metric(self, name: str, client: Client) -> float:
        return stack.metrics(self.admin)[f'{name}{{chip="{self.chip_of(client)}"}}']

    def has_no_tunnels(self, client: Client) -> None:
        wire.until(lambda: self.metric("chipgate_tunnels_open", client) == 0, f"{client.name} has no tunnel left")

    # --- scenarios

    def page(self, client: Client) -> None:
        """An HTTPS round trip, which leaves by the chip's own exit."""
        answer = self.does(client, "page", url=f"https://{drivers.WHATSAPP}/page")
        self.assertEqual((answer["status"], answer["body"]), (200, self.exit_of(self.chip_of(client))))

    def websocket(self, client: Client) -> None:
        answer = self.does(client, "websocket", url=f"wss://{drivers.WHATSAPP}/ws/echo", message="first frame")
        self.assertEqual(answer["answer"], "first frame")

    def media(self, client: Client) -> None:
        expected = {"bytes": MEDIA_BYTES, "sha256": hashlib.sha256(wire.pattern(MEDIA_BYTES)).hexdigest()}
        sent = self.does(client, "upload", url=f"https://{drivers.MEDIA}/upload", bytes=MEDIA_BYTES)
        self.assertEqual(json.loads(sent["body"]), expected)
        got = self.does(client, "download", url=f"https://{drivers.MEDIA}/download/{MEDIA_BYTES}")
        self.assertEqual({key: got[key] for key in expected}, expected)

    def twenty(self, client: Client) -> None:
        """Nobody is answered before all twenty have asked, so they are open at the same time."""
        urls = [f"https://{host}/together/{self.chip_of(client)}/{TUNNELS}" for host in drivers.MANY]
        before = self.metric("chipgate_tunnels_opened_total", client)
        self.assertEqual(self.does(client, "together", urls=urls)["bodies"], ["together"] * TUNNELS)
        self.assertGreaterEqual(self.metric("chipgate_tunnels_opened_total", client) - before, TUNNELS)

    def waiting(self, driver: drivers.Driver, client: Client) -> int:
        """A request that is never answered has reached its target."""
        path = f"/wait/{self.id().rsplit('.', 1)[1]}/{self.chip_of(client)}/{next(stack.NUMBERS)}"
        number = driver.begin(**self.job(client, "page", url=f"https://{drivers.WHATSAPP}{path}"))
        heard = self.whatsapp.heard(self.exit_of(self.chip_of(client)), stack.READY_SECONDS, path=path)
        self.assertIsNotNone(heard, f"{client.name}: {driver.process.said()}\n{self.of_gate(client)}")
        return number

    def client_killed(self, client: Client) -> None:
        """Whoever is killed leaves nothing behind, here or at the gateway."""
        driver = drivers.start(self.kind, self.whatsapp, self.folder)
        self.addCleanup(driver.stop)
        self.waiting(driver, client)
        self.assertGreaterEqual(self.metric("chipgate_tunnels_open", client), 1)
        os.kill(driver.killed, signal.SIGKILL)
        self.has_no_tunnels(client)
        wire.until(lambda: not any(self.at_gateway(client).values()), f"the gateway has no tunnel of {client.name}")

    def session_of(self, client: Client) -> str:
        return next(session for session in self.at_gateway(client))

    def at_gateway(self, client: Client) -> dict[str, int]:
        """The client's sessions and how many tunnels each has."""
        sessions = self.provider.ask("GET", "/sessions")["sessions"]
        return {one["session"]: int(one["tunnels"]) for one in sessions if f"-{self.chip_of(client)}-" in one["session"]}

    def gateway_cuts(self, client: Client) -> None:
        """It hears of it at once. Chromium asks once more where the tunnel was opened ahead of its request."""
        for how in ("rst", "fin"):
            with self.subTest(how=how):
                number = self.waiting(self.driver, client)
                self.assertGreaterEqual(self.provider.cut(self.session_of(client), how), 1)
                answer = self.driver.line(number, TOLD_SECONDS)
                self.assertIsNotNone(answer, f"{client.name} hangs")
                if answer and "error" not in answer:
                    self.assertEqual(client.name.split()[0], "Chromium", "nobody else asks once more")
                self.has_no_tunnels(client)

    def half_close(self, client: Client) -> None:
        """The target answers only when the client has ended its side."""
        host, port = REVERSING
        message = "who ends first still hears the answer"
        self.assertEqual(self.does(client, "half_close", host=host, port=port, message=message)["answer"], message[::-1])
        self.has_no_tunnels(client)


EVERY = ("page", "media", "twenty", "client_killed", "gateway_cuts")


def crossed(clients: tuple[Client, ...]) -> Callable[[type[Suite]], type[Suite]]:
    """Adds a test for every client and scenario."""

    def add(suite: type[Suite]) -> type[Suite]:
        suite.clients = clients
        for client in clients:
            for scenario in (*EVERY, *client.more):
                def test(self: Suite, client: Client = client, scenario: str = scenario) -> None:
                    getattr(self, scenario)(client)
                setattr(suite, f"test_{Suite.chip_of(client)}__{scenario}", test)
        return suite

    return add


@crossed((
    Client("https-proxy-agent 9", more=("websocket", "half_close")),
    Client("https-proxy-agent 7", more=("websocket", "half_close")),
    Client("https-proxy-agent 5", more=("websocket", "half_close")),
    Client("socks-proxy-agent", SOCKS, more=("websocket", "half_close")),
    Client("undici 7", more=("websocket",)),
    Client("undici 6", more=("websocket",)),
    Client("axios"),
    Client("axios 1.6 with an agent"),
))
class Node(Suite):
    kind = "node"


class OldAxios(Suite):
    """axios 1.6 sends `GET https://` in clear text where it is to use a proxy, and must be told that it does."""

    kind = "node"
    clients = (Client("axios 1.6"),)

    def test_is_refused_with_the_reason(self) -> None:
        [client] = self.clients
        answer = self.does(client, "page", url=f"https://{drivers.WHATSAPP}/page")
        self.assertEqual(answer["status"], 400)
        self.assertIn("CONNECT", answer["body"])


@crossed((Client("Chromium", more=("websocket",)), Client("Chromium over SOCKS", "socks5", more=("websocket",))))
class Chromium(Suite):
    kind = "chromium"


@crossed((Client("Go", more=("websocket",)), Client("Go over SOCKS", "socks5", more=("websocket",))))
class Go(Suite):
    kind = "go"


@crossed((Client("curl"), Client("curl over SOCKS", SOCKS)))
class Curl(Suite):
    kind = "curl"


@crossed((Client("Python", more=("half_close",)),))
class Python(Suite):
    kind = "stdlib"


def load_tests(loader: unittest.TestLoader, _tests: Any, _pattern: Any) -> unittest.TestSuite:
    """All but the class of scenarios itself."""
    return unittest.TestSuite(loader.loadTestsFromTestCase(one) for one in (Node, OldAxios, Chromium, Go, Curl, Python))


if __name__ == "__main__":
    named = sys.argv[1:] or [Chromium.__name__, Go.__name__]
    drivers.require_clients(*(suite.kind for suite in (Chromium, Go) if suite.__name__ in named))
    unittest.main(verbosity=2)
