"""A chipgate whose configuration is written anew while it runs."""

from __future__ import annotations

import http.server
import json
import signal
import socket
import threading
from pathlib import Path
from typing import Any

import life
from ports import PortBlock
from wire import stack

NOTHING: life.Line = {"added": [], "removed": [], "changed": [], "settings": [], "restart_needed": [], "unfinished": []}


class Hook(http.server.ThreadingHTTPServer):
    """Takes every event that is posted to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _HookHandler)
        self.assignments: list[int] = []
        self._thread = threading.Thread(target=self.serve_forever)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"

    def end(self) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _HookHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert isinstance(self.server, Hook)
        self.server.assignments.append(event["data"]["assignment_id"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class ReloadTest(life.LifeTest):
    def begin(self, *names: str, **settings: Any) -> life.Operator:
        """Chips of the file on ports of the block, all connected on demand."""
        return self.live(chips=[self.entry(name) for name in names], **settings)

    def entry(self, name: str, **more: Any) -> life.Line:
        return {"id": name, "connect": "on_demand", **more}

    def live(self, *simulator: str | Path, chips: list[life.Line] | None = None, **settings: Any) -> life.Operator:
        """Ports are the block's, which no other test binds: they must be known before they are bound again."""
        block = PortBlock()
        self.addCleanup(block.close)
        self.block = block
        numbered = [{"port": self.port(at), **chip} for at, chip in enumerate(chips or [])]
        return super().live(*simulator, chips=numbered, listen={"ports": block.range}, **settings)

    def port(self, number: int) -> int:
        return self.block.first + 10 + number

    def file_says(self, text: str | None = None) -> None:
        """What `written` has now, or any text."""
        (self.folder / "chipgate.yaml").write_text(text if text is not None else json.dumps(self.written, indent=2))

    def hook(self) -> Hook:
        hook = Hook()
        self.addCleanup(hook.end)
        return hook

    def reload(self, expected: int = 200) -> life.Line:
        return self.operator.expect(expected, "POST", "config/reload")

    def hang_up(self) -> None:
        self.gate.process.signal(signal.SIGHUP)

    def standing(self, chip: str) -> tuple[int, str, list[str]]:
        """Which assignment it has: all of it that a reload must leave alone."""
        assignment = self.operator.chip(chip)["assignment"]
        return assignment["id"], assignment["session_identifier"], assignment["exit_ips"]

    def configuration_in_force(self) -> str:
        status, answer = self.operator.raw("GET", "config")
        with answer:
            self.assertEqual(status, 200)
            return answer.read().decode()

    def change_three_things(self) -> None:
        """One chip goes, one comes, one setting is another; the first chip is left alone."""
        stays, _ = self.written["chips"]
        self.written["chips"] = [self.entry("comes", port=self.port(5), connect="on_start"), stays]
        self.written["verify"]["interval"] = "30min"
        self.file_says()

    def assert_gone(self, chip: str, port: int) -> None:
        self.operator.expect(404, "GET", f"chips/{chip}")
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
