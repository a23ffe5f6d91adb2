"""Chips' lives from outside: chipgate's API as an operator uses it, and a rig whose times are short."""

from __future__ import annotations

import concurrent.futures
import http.client
import json
import signal
from pathlib import Path
from typing import Any, Iterator

import rig
import wire
from ports import PortBlock
from wire import stack

Line = dict[str, Any]
# What a look asks. Nobody else goes there.
LOOKS = ("look-one.sim", "look-two.sim")
# A wait that a test never means to see the end of.
LONG = "1h"
EXIT_HEADER = "X-Exit-IP"


class Operator:
    """The API of one chipgate."""

    def __init__(self, admin: int, token: str) -> None:
        self.admin, self.token = admin, token

    def raw(self, method: str, path: str, body: Line | None = None, **headers: str) -> tuple[int, http.client.HTTPResponse]:
        connection = http.client.HTTPConnection("127.0.0.1", self.admin, timeout=2 * stack.ANSWER_SECONDS)
        # Closed with its answer, so that nobody has to keep it.
        sent = {"Authorization": f"Bearer {self.token}", "Connection": "close", **headers}
        if body is not None:
            sent["Content-Type"] = "application/json"
        connection.request(method, f"/api/v1/{path}", json.dumps(body) if body is not None else None, sent)
        answer = connection.getresponse()
        return answer.status, answer

    def ask(self, method: str, path: str, body: Line | None = None) -> tuple[int, Line]:
        status, answer = self.raw(method, path, body)
        with answer:
            return status, json.loads(answer.read())

    def get(self, path: str) -> Line:
        return self.expect(200, "GET", path)

    def expect(self, status: int, method: str, path: str, body: Line | None = None) -> Line:
        given, answer = self.ask(method, path, body)
        if given != status:
            raise AssertionError(f"{method} {path}: {given} {answer}")
        return answer

    def put(self, chip: str, **spec: Any) -> Line:
        status, answer = self.ask("PUT", f"chips/{chip}", {"connect": "manual", **spec})
        if status not in (200, 201):
            raise AssertionError(f"PUT {chip}: {status} {answer}")
        return answer

    def chip(self, chip: str) -> Line:
        return self.get(f"chips/{chip}")

    def state(self, chip: str) -> str:
        return str(self.chip(chip)["state"])

    def act(self, chip: str, action: str, **body: Any) -> tuple[int, Line]:
        wait = f"?wait={body.pop('wait')}" if "wait" in body else ""
        return self.ask("POST", f"chips/{chip}/actions/{action}{wait}", body)

    def connect(self, chip: str, **body: Any) -> Line:
        """Until it is active."""
        status, answer = self.act(chip, "connect", **body)
        if status != 200:
            raise AssertionError(f"connect {chip}: {status} {answer}")
        return answer

    def released(self, chip: str, **body: Any) -> Line:
        status, answer = self.act(chip, "release", **body)
        if status != 200:
            raise AssertionError(f"release {chip}: {status} {answer}")
        return answer

    def rotated(self, chip: str, **body: Any) -> Line:
        status, answer = self.act(chip, "rotate", force=True, **body)
        if status != 200:
            raise AssertionError(f"rotate {chip}: {status} {answer}")
        return answer

    def await_state(self, chip: str, *states: str) -> Line:
        def look() -> Line | None:
            found = self.chip(chip)
            return found if found["state"] in states else None
        return wire.until(look, f"{chip} is {' or '.join(states)}; it is {self.chip(chip)}", 2 * stack.ANSWER_SECONDS)

    def await_another(self, chip: str, assignment: int) -> Line:
        """Active under another assignment than this one."""
        def look() -> Line | None:
            found = self.chip(chip)
            return found if found["state"] == "active" and found["assignment"]["id"] != assignment else None
        return wire.until(look, f"{chip} has another assignment", 2 * stack.ANSWER_SECONDS)

    def history(self, query: str) -> list[Line]:
        return list(self.get(f"assignments?{query}")["assignments"])

    def events(self, chip: str | None = None, kind: str | None = None) -> list[Line]:
        found = self.get("events?after=0&limit=1000" + (f"&chip={chip}" if chip else ""))["events"]
        return [event for event in found if kind in (None, event["type"])]

    def await_event(self, chip: str | None, kind: str) -> Line:
        return wire.until(lambda: self.events(chip, kind), f"event {kind} of {chip}")[0]


class Stream:
    """Events as they come."""

    def __init__(self, operator: Operator, after: int | None = None, query: str = "") -> None:
        since = {"Last-Event-ID": str(after)} if after is not None else {}
        self.status, self._answer = operator.raw("GET", f"events{query}", Accept="text/event-stream", **since)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self._answer.close()

    def __iter__(self) -> Iterator[Line]:
        event: Line = {}
        while written := self._answer.readline().decode():
            key, _, value = written.rstrip("\r\n").partition(":")
            if key in ("id", "event", "data"):
                event[key] = value.strip()
            elif not written.strip() and event:
                yield event
                event = {}

    def first(self, kind: str) -> Line:
        """The next one of its kind; the socket's timeout bounds the wait."""
        for event in self:
            if event.get("event") == kind:
                return event
        raise AssertionError(f"the stream ended before {kind}")


class LifeTest(rig.RigTest):
    """A simulator and a chipgate without chips, whose looks and retries are quick."""

    def live(self, *simulator: str | Path, chips: list[Line] | None = None, gateway: Line | None = None,
             prefix: list[str] | None = None, scheme: str = "http", **settings: Any) -> Operator:
        """Sets sim, gate and operator. What is given beside replaces keys of a section."""
        self.sim = self.provider(*simulator)
        ports = PortBlock()
        self.addCleanup(ports.close)
        sections: dict[str, Line] = {
            "verify": {"interval": LONG, "max_age": "2h", "timeout": "5s",
                       "echoes_v4": [f"http://{host}/" for host in LOOKS]},
            "draws": {"retry_min": "50ms", "retry_max": "200ms", "per_second": 1000, "per_chip_and_hour": 10_000},
            "ledger": {"path": str(self.folder / "ledger.db"), "quarantine": "1h"},
            "admin": {"listen": "127.0.0.1:0", "token_file": str(self.folder / "token")},
            "listen": {"ports": ports.range},
        }
        for name, changed in settings.items():
            sections[name] = {**sections.get(name, {}), **changed}
        if scheme == "https":
            gateway = {"tls": {"ca_file": str(self.folder / "sim-ca.pem")}, **(gateway or {})}
        self.written = self.configuration([f"{scheme}://{getattr(self.sim, scheme)}"], [], gateway, **sections)
        self.written["chips"] = [{"port": 0, **chip} for chip in chips or []]
        if not chips:
            del self.written["chips"]
        return self.start(prefix)

    def start(self, prefix: list[str] | None = None) -> Operator:
        """Also once more over the same ledger."""
        self.gate = rig.Gate(*stack.chipgate(self.written, self.folder, prefix, rig.SECRETS))
        self.addCleanup(self.gate.end)
        self.operator = Operator(self.gate.admin, (self.folder / "token").read_text().strip())
        return self.operator

    def kill(self) -> None:
        self.gate.process.signal(signal.SIGKILL)
        self.gate.wait()

    # --- what clients do

    def client(self, chip: str, target: str | None = None) -> wire.Client:
        """A tunnel to an echo that carries bytes; a target of its own says in the origin log whose it is."""
        client = wire.tunnel(int(self.operator.chip(chip)["port"]), target or f"{chip}.sim:7")
        self.addCleanup(client.close)
        self.assert_carries(client)
        return client

    def assert_carries(self, client: wire.Client) -> None:
        client.send(b"hello")
        self.assertEqual(client.exactly(5), b"hello")

    def assert_cut(self, client: wire.Client) -> None:
        """By a reset: a close would look like a broken login."""
        self.assertEqual(client.rest()[1], "reset")

    def refused(self, chip: str) -> str:
        """Why a client is not let in."""
        answer = rig.refusal(int(self.operator.chip(chip)["port"]))
        self.assertNotEqual(answer.status, 200)
        return answer.get("x-chipgate-error") or ""

    def exits_of(self, chip: str) -> list[str]:
        return list(self.operator.chip(chip)["assignment"]["exit_ips"])

    def sources(self, target: str) -> set[str]:
        """From where an origin was reached."""
        return {entry["source"] for entry in self.sim.seen(target)}

    def in_background(self, *jobs: Any) -> list[concurrent.futures.Future[Any]]:
        pool = concurrent.futures.ThreadPoolExecutor(max(len(jobs), 1))
        self.addCleanup(pool.shutdown)
        return [pool.submit(job) for job in jobs]

    def silence_looks(self) -> None:
        for host in LOOKS:
            self.sim.fault("connect", "silence", target=host)
