"""What WhatsApp software does through a proxy, as scenarios that are crossed with clients."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
from typing import Any, Callable

import clients
import drivers
import stack
from clients import Client
sys.path.insert(0, str(drivers.HERE.parent / "integration"))
import wire  # noqa: E402

MEDIA_BYTES = 16 * 1024 * 1024
TUNNELS = 20
# A cut is told at once; the rest is for a busy machine.
TOLD_SECONDS = 8.0
REVERSING = ("half.sim", 13)
MEDIA = {"bytes": MEDIA_BYTES, "sha256": hashlib.sha256(wire.pattern(MEDIA_BYTES)).hexdigest()}


class Suite(stack.StackTest):
    """The scenarios. Each client has a chip of its own, so that counts are about it alone."""

    # What starts the clients, where it is not called as they are.
    driven_by = ""
    clients: tuple[Client, ...] = ()

    @classmethod
    def setUpClass(cls) -> None:
        cls.chips = [client.chip for client in cls.clients]
        super().setUpClass()
        cls.provider = wire.Simulator(cls.sim["api"])
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
        return drivers.start(cls.driven_by or cls.clients[0].kind, cls.whatsapp, cls.folder)

    def job(self, client: Client, task: str, **more: Any) -> dict[str, Any]:
        port = self.ports[client.chip]
        return {"client": client.name, "task": task, "proxy": f"{client.scheme}://127.0.0.1:{port}", **more}

    def does(self, client: Client, task: str, **more: Any) -> stack.Line:
        answer = self.driver.ask(**self.job(client, task, **more))
        self.assertNotIn("error", answer, f"{client.name}\n{self.of_gate(client)}")
        return answer

    def of_gate(self, client: Client) -> str:
        """The last that chipgate said of its chip."""
        lines = [line for line in self.gate.err.all() if line.get("chip") == client.chip]
        return "\n".join(map(json.dumps, lines[-5:]))

    def metric(self, name: str, client: Client) -> float:
        return stack.metrics(self.admin)[f'{name}{{chip="{client.chip}"}}']

    def has_no_tunnels(self, client: Client) -> None:
        wire.until(lambda: self.metric("chipgate_tunnels_open", client) == 0, f"{client.name} has no tunnel left")

    # --- scenarios

    def page(self, client: Client) -> None:
        """An HTTPS round trip, which leaves by the chip's own exit."""
        answer = self.does(client, "page", url=f"https://{drivers.WHATSAPP}/page")
        self.assertEqual((answer["status"], answer["body"]), (200, self.exit_of(client.chip)))

    def websocket(self, client: Client) -> None:
        answer = self.does(client, "websocket", url=f"wss://{drivers.WHATSAPP}/ws/echo", message="first frame")
        self.assertEqual(answer["answer"], "first frame")

    def media(self, client: Client) -> None:
        sent = self.does(client, "upload", url=f"https://{drivers.MEDIA}/upload", bytes=MEDIA_BYTES)
        self.assertEqual(json.loads(sent["body"]), MEDIA)
        got = self.does(client, "download", url=f"https://{drivers.MEDIA}/download/{MEDIA_BYTES}")
        self.assertEqual({key: got[key] for key in MEDIA}, MEDIA)

    def twenty(self, client: Client) -> None:
        """Nobody is answered before all twenty have asked, so they are open at the same time."""
        urls = [f"https://{host}/together/{client.chip}/{TUNNELS}" for host in drivers.MANY]
        before = self.metric("chipgate_tunnels_opened_total", client)
        self.assertEqual(self.does(client, "together", urls=urls)["bodies"], ["together"] * TUNNELS)
        self.assertGreaterEqual(self.metric("chipgate_tunnels_opened_total", client) - before, TUNNELS)

    def waiting(self, driver: drivers.Driver, client: Client) -> int:
        """A request that is never answered has reached its target."""
        path = f"/wait/{next(stack.NUMBERS)}"
        number = driver.begin(**self.job(client, "page", url=f"https://{drivers.WHATSAPP}{path}"))
        heard = self.whatsapp.heard(self.exit_of(client.chip), stack.READY_SECONDS, path=path)
        self.assertIsNotNone(heard, f"{client.name}: {driver.process.said()}\n{self.of_gate(client)}")
        return number

    def client_killed(self, client: Client) -> None:
        """Whoever is killed leaves nothing behind, here or at the gateway."""
        driver = self.start_driver()
        self.addCleanup(driver.stop)
        self.waiting(driver, client)
        self.assertGreaterEqual(self.metric("chipgate_tunnels_open", client), 1)
        os.kill(driver.killed, signal.SIGKILL)
        self.has_no_tunnels(client)
        wire.until(lambda: not any(self.at_gateway(client).values()), f"the gateway has no tunnel of {client.name}")

    def at_gateway(self, client: Client) -> dict[str, int]:
        """The client's sessions and how many tunnels each has."""
        sessions = self.provider.ask("GET", "/sessions")["sessions"]
        return {one["session"]: int(one["tunnels"]) for one in sessions if f"-{client.chip}-" in one["session"]}

    def cut(self, client: Client, how: str) -> None:
        session = next(iter(self.at_gateway(client)))
        self.assertGreaterEqual(self.provider.cut(session, how), 1)

    def gateway_cuts(self, client: Client) -> None:
        """It hears of it at once. Chromium asks once more where the tunnel was opened ahead of its request."""
        for how in ("rst", "fin"):
            with self.subTest(how=how):
                number = self.waiting(self.driver, client)
                self.cut(client, how)
                answer = self.driver.line(number, TOLD_SECONDS)
                self.assertIsNotNone(answer, f"{client.name} hangs")
                if answer and "error" not in answer:
                    self.assertEqual(client.kind, "chromium", "nobody else asks once more")
                self.has_no_tunnels(client)

    def half_close(self, client: Client) -> None:
        """The target answers only when the client has ended its side: a bare one, or one of HTTPS where the client has no
        tunnel to itself."""
        host, port = REVERSING
        message = "who ends first still hears the answer"
        answer = self.does(client, "half_close", host=host, port=port, https=f"https://{drivers.HALVES}", message=message)
        self.assertEqual(answer["answer"], message[::-1])
        self.has_no_tunnels(client)

    def target_ends(self, client: Client) -> None:
        """The end is how the client knows that an answer is whole, and it is no reset."""
        self.assertEqual(self.does(client, "page", url=f"https://{drivers.HALVES}/ends")["body"], "that is all")
        self.has_no_tunnels(client)


def crossed(*kinds: str) -> Callable[[type[Suite]], type[Suite]]:
    """Adds a test for every client of these kinds and each of its scenarios."""

    def add(suite: type[Suite]) -> type[Suite]:
        mine = tuple(client for kind in kinds for client in clients.of(kind))
        suite.clients += mine
        for client in mine:
            for scenario in client.scenarios:
                def test(self: Suite, client: Client = client, scenario: str = scenario) -> None:
                    getattr(self, scenario)(client)
                setattr(suite, f"test_{client.chip}__{scenario}", test)
        return suite

    return add
