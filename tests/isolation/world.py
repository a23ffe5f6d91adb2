"""Two network namespaces joined by one wire, and what watches the wire.

chipgate runs in `inside`, whose only way out, for packets and for names, is `outside`, which is the test's."""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading

from namespaces import Namespace, NotAllowed
from plan import (GATEWAY, INSIDE_ADDRESS, INSIDE_ADDRESS_6, NAME_SERVER, OUTSIDE_WIRE, ROUTER, ROUTER_6,
                  SEARCHED_SUFFIX)
from watchers import NameServer, Recorder


class Door:
    """Where the gateway is reached: an address and port outside that lead to a simulator, which takes loopback only."""

    def __init__(self, outside: Namespace, port: int, simulator: tuple[str, int]) -> None:
        self._outside, self._port, self._simulator = outside, port, simulator
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self._joined: list[tuple[socket.socket, socket.socket]] = []

    def open(self) -> None:
        def listen() -> socket.socket:
            made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            made.bind((GATEWAY, self._port))
            made.listen(1024)
            return made

        self._listener = self._outside.call(listen)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        """Refuses what comes, and ends what is there."""
        if self._listener:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        with self._lock:
            joined, self._joined = self._joined, []
        for pair in joined:
            for end in pair:
                with end, contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
                server = self._outside.call(lambda: socket.create_connection(self._simulator))
            except OSError:
                return
            with self._lock:
                self._joined.append((client, server))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)


class World:
    def __init__(self) -> None:
        if shutil.which("ip") is None:
            raise NotAllowed("there is no ip command (iproute2)")
        self._watchers: list[Recorder | NameServer] = []
        self.inside = Namespace()
        try:
            self.outside = Namespace()
        except BaseException:
            self.inside.close()
            raise
        try:
            self._lay()
        except BaseException:
            self.close()
            raise

    def _lay(self) -> None:
        inside, outside = self.inside, self.outside
        inside.ip("link", "add", "wire0", "type", "veth", "peer", "name", OUTSIDE_WIRE, "netns", str(outside.pid))
        for address in (ROUTER, GATEWAY, NAME_SERVER):
            outside.ip("addr", "add", f"{address}/24", "dev", OUTSIDE_WIRE)
        outside.ip("addr", "add", f"{ROUTER_6}/64", "dev", OUTSIDE_WIRE, "nodad")
        inside.ip("addr", "add", f"{INSIDE_ADDRESS}/24", "dev", "wire0")
        inside.ip("addr", "add", f"{INSIDE_ADDRESS_6}/64", "dev", "wire0", "nodad")
        outside.ip("link", "set", OUTSIDE_WIRE, "up")
        inside.ip("link", "set", "wire0", "up")
        inside.ip("route", "add", "default", "via", ROUTER)
        inside.ip("-6", "route", "add", "default", "via", ROUTER_6)
        inside.set_file("resolv.conf", f"nameserver {NAME_SERVER}\nsearch {SEARCHED_SUFFIX}\noptions timeout:1 attempts:2\n")
        inside.set_file("nsswitch.conf", "hosts: files dns\n")
        inside.set_file("hosts", "127.0.0.1 localhost\n::1 localhost\n")
        self.recorder = Recorder(outside)
        self.names = NameServer(outside)
        self._watchers = [self.recorder, self.names]

    def gateway_address(self, present: bool) -> None:
        self.outside.ip("addr", "add" if present else "del", f"{GATEWAY}/24", "dev", OUTSIDE_WIRE)

    def close(self) -> None:
        self.inside.close()
        self.outside.close()
        for watcher in self._watchers:
            watcher.close()
