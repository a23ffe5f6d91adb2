#!/usr/bin/env python3
"""Nothing goes direct: targets on this very host are reached through the gateway, or not at all."""

from __future__ import annotations

import concurrent.futures
import socket
import threading
import unittest
from pathlib import Path

import rig
import wire


class Trap:
    """Where chipgate would arrive if it dialed a target itself."""

    def __init__(self) -> None:
        self.caught: list[str] = []
        self._listeners = [socket.create_server(("127.0.0.1", 0))]
        self.port = int(self._listeners[0].getsockname()[1])
        try:
            self._listeners.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        except OSError:
            pass  # this host has no IPv6
        for listener in self._listeners:
            threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connected, who = listener.accept()
            except OSError:
                return
            self.caught.append(str(who))
            connected.close()

    def close(self) -> None:
        for listener in self._listeners:
            listener.close()


def request(way: str, host: str, port: int) -> list[bytes]:
    """What a client says, turn by turn."""
    shown = f"[{host}]" if ":" in host else host
    if way == "connect":
        return [wire.connect_head(f"{shown}:{port}", "User-Agent: curl/8")]
    if way == "absolute":
        return [wire.get_head(f"http://{shown}:{port}/", "User-Agent: curl/8", "Connection: close")]
    if way == "socks5":
        return [wire.GREETING, wire.socks5_head(host, port)]
    return [wire.socks4_head(host, port)]


class NoDirectPath(rig.RigTest):
    def setUp(self) -> None:
        super().setUp()
        self.trap = Trap()
        self.addCleanup(self.trap.close)
        self.sim = self.provider()

    def ask_all(self, gate: rig.Gate) -> None:
        """By every protocol, with a chip for each request, so that refusals do not wait for one another."""
        ports = iter(gate.ports.values())
        jobs = [(way, host, next(ports)) for way in rig.WAYS for host in HOSTS if way != "socks4a" or ":" not in host]

        def one(job: tuple[str, str, int]) -> None:
            way, host, port = job
            try:
                with wire.Client(port) as client:
                    for turn in request(way, host, self.trap.port):
                        client.send(turn)
                        self.assertTrue(client.socket.recv(4096))
            except (ConnectionResetError, BrokenPipeError):
                pass  # a refusal, or a fence that came while it connected

        with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
            list(pool.map(one, jobs))

    def assert_only_the_gateway(self, gate: rig.Gate) -> None:
        self.assertEqual(self.trap.caught, [])
        self.assertEqual(self.sim.stats()["origin_direct"], 0)
        self.assertTrue(gate.process.running())

    def peers(self, gate: rig.Gate) -> set[str]:
        """What chipgate's own sockets are connected to."""
        own = set()
        for link in Path(f"/proc/{gate.process.pid}/fd").iterdir():
            try:
                own.add(link.readlink().name)
            except OSError:
                continue
        found = set()
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if f"socket:[{fields[9]}]" in own:
                address, port = fields[2].split(":")
                found.add(f"{socket.inet_ntoa(bytes.fromhex(address)[::-1])}:{int(port, 16)}")
        return found

    def test_targets_on_this_host_are_the_gateways_business(self) -> None:
        for endpoint in (f"http://{self.sim.http}", f"socks5://{self.sim.socks5}"):
            with self.subTest(endpoint):
                gate = self.gate(endpoint, CHIPS)
                self.ask_all(gate)
                self.assert_only_the_gateway(gate)
                self.assertTrue(self.sim.seen(f"127.0.0.1:{self.trap.port}"))

    def test_with_the_gateway_down_nothing_else_is_dialed(self) -> None:
        gate = self.gate([f"http://{self.sim.http}", f"http://{self.sim.https}"], CHIPS)
        self.sim.ask("POST", "/listeners/down")
        self.ask_all(gate)
        self.assert_only_the_gateway(gate)

    def test_every_socket_of_an_open_tunnel_is_a_client_or_the_gateway(self) -> None:
        gate = self.gate(f"http://{self.sim.http}", CHIPS)
        port = gate.ports[CHIPS[0]]
        clients = [wire.tunnel(port, f"{number}.sim:7") for number in range(10)]
        ours = {f"127.0.0.1:{client.socket.getsockname()[1]}" for client in clients}
        for client in clients:
            self.addCleanup(client.close)
        self.assertEqual(self.peers(gate) - {"0.0.0.0:0"}, ours | {self.sim.http})


HOSTS = ["127.0.0.1", "::1", "localhost", "127.0.0.2"]
CHIPS = [f"chip-{number}" for number in range(len(HOSTS) * len(rig.WAYS))]


if __name__ == "__main__":
    unittest.main()
