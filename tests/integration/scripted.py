"""A gateway that a test writes itself, where it matters what chipgate says to it byte by byte."""

from __future__ import annotations

import socket
import tempfile
import threading
import unittest
from pathlib import Path
from typing import Callable

import wire
from wire import stack

Script = Callable[[wire.Client], None]


class Gateway:
    """Serves every connection by the script that stands then, each on a thread of its own."""

    def __init__(self) -> None:
        self.script: Script = lambda client: None
        self.accepted = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            try:
                connected, _ = self._listener.accept()
            except OSError:
                return
            # Whoever sees it counted may set the next one's script, and has not heard a word of this one yet.
            script = self.script
            self.accepted += 1
            threading.Thread(target=self._serve, args=(connected, script), daemon=True).start()

    @staticmethod
    def _serve(connected: socket.socket, script: Script) -> None:
        with wire.Client.over(connected) as client:
            try:
                script(client)
            except (OSError, AssertionError):
                pass  # the client went; what that means is for the test to say

    def close(self) -> None:
        self._listener.close()


class ScriptedTest(unittest.TestCase):
    """chipgate behind a gateway by script."""

    chips = ["alpha"]
    settings: stack.Line = {"timeouts": {"drain": "0s"}}

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory(prefix="chipgate-test-")
        cls.addClassCleanup(folder.cleanup)
        cls.gateway = Gateway()
        cls.addClassCleanup(cls.gateway.close)
        cls.gate, cls.ports, cls.admin = stack.chipgate(
            stack.configuration(cls.gateway.endpoint, cls.chips, **cls.settings), Path(folder.name),
            environment={"CHIPGATE_TEST_PASSWORD": stack.PASSWORD})
        cls.addClassCleanup(cls.gate.stop_cleanly)
        assigned = cls.gate.require(cls.gate.err, lambda line: line.get("event") == "assigned", "the session")
        cls.authorization = wire.basic(f"{stack.USERNAME}-session-{assigned['session']}", stack.PASSWORD)
