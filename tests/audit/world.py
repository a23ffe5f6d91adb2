"""The audit's chipgate and simulator: started, killed, restarted, and asked."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
import urllib.parse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import stack  # noqa: E402
from clients import Answer, ask  # noqa: E402
from evidence import Death, Disturbed  # noqa: E402
from ports import PortBlock  # noqa: E402

LOOKS = ("look-one.sim", "look-two.sim")
EXIT_HEADER = "x-exit-ip"
# How soon a session may be used again that nobody used; far above every look's interval.
IDLE = "60s"


@dataclass(frozen=True)
class Plan:
    """What an audit is like."""

    seed: int = 1
    chips: int = 50
    steps: int = 4_000
    kills: int = 25
    pool: int = 80
    reply_headers: bool = False
    # Times are in seconds.
    interval: float = 2.0
    look_timeout: float = 1.0
    quarantine: float = 1.0
    program: str = "chipgate"
    # What an unguarded chipgate leaves out.
    without: str = ""
    storms: int = 5
    workers: int = 8

    @property
    def bound(self) -> float:
        """How long a session may leave by another address before that is a violation."""
        return 0.0 if self.reply_headers else self.interval + self.look_timeout + 2.0


class World:
    """Processes of a plan, in a folder of its own."""

    def __init__(self, plan: Plan, folder: Path) -> None:
        self.plan, self.folder = plan, folder
        self.log = folder / "origin.jsonl"
        self.ledger = folder / "ledger.db"
        self.token = folder / "token"
        self.ports = PortBlock()
        self.admin = self.ports.fixed
        self.disturbed: list[Disturbed] = []
        self.deaths: list[Death] = []
        self._gate: stack.Process | None = None
        self._restarting = asyncio.Lock()

    def start_simulator(self) -> None:
        plan = self.plan
        named = ["--exit-header", EXIT_HEADER] if plan.reply_headers else []
        self.simulator, self.sim = stack.gateway_sim(
            "--http", "127.0.0.1:0", "--api", "127.0.0.1:0", *stack.credentials(), "--pool", str(plan.pool), "--draw",
            "random", "--seed", str(plan.seed), "--idle", IDLE, "--log", self.log, "--log-payload", *named)
        self.sim_api = int(self.sim["api"].rsplit(":", 1)[1])

    def configuration(self) -> dict[str, Any]:
        plan = self.plan
        seconds = lambda number: f"{round(number * 1000)}ms"  # noqa: E731
        written = stack.configuration(
            f"http://{self.sim['http']}", [], log={"format": "json", "access": False},
            admin={"listen": f"127.0.0.1:{self.admin}", "token_file": str(self.token)},
            listen={"ports": self.ports.range},
            ledger={"path": str(self.ledger), "quarantine": seconds(plan.quarantine)},
            verify={"interval": seconds(plan.interval), "timeout": seconds(plan.look_timeout), "max_age": "30s",
                    "echoes_v4": [f"http://{host}/" for host in LOOKS]},
            draws={"per_round": 8, "retry_min": "100ms", "retry_max": "1s", "per_second": 500,
                   "per_chip_and_hour": 100_000},
            timeouts={"drain": "0s"})
        del written["chips"]
        return written

    def start_gate(self) -> None:
        path = self.folder / "chipgate.yaml"
        path.write_text(json.dumps(self.configuration(), indent=2))
        environment = {"CHIPGATE_TEST_PASSWORD": stack.PASSWORD, "CHIPGATE_UNGUARDED": self.plan.without,
                       "CHIPGATE_UNGUARDED_ORIGIN": str(self.sim["origin"])}
        gate = stack.Process("chipgate", [stack.BUILD / self.plan.program, "serve", "--config", path], environment)
        self._gate = gate
        try:
            gate.require(gate.err, lambda line: line.get("event") == "ready", "that it is ready")
        except BaseException:
            gate.stop()
            raise

    async def kill_gate(self) -> None:
        """As power loss would, and a start over what it left."""
        async with self._restarting:
            assert self._gate is not None
            if not self._gate.running():
                raise AssertionError(f"chipgate ended by itself and said:\n{self._gate.said()}")
            since = time.time()
            self._gate.signal(signal.SIGKILL)
            await asyncio.to_thread(self._gate.wait, stack.STOP_SECONDS)
            await asyncio.to_thread(self.start_gate)
            self.deaths.append(Death(since, time.time()))

    def stop(self) -> None:
        """The gate first, and cleanly: nothing may be heard after it."""
        try:
            if self._gate is not None:
                self._gate.stop_cleanly()
        finally:
            self.simulator.stop()
            self.ports.close()

    # --- asking

    async def gate(self, method: str, path: str, body: dict[str, Any] | None = None,
                   patience: float = 30.0) -> Answer | None:
        """None where chipgate is just being restarted, or was killed over the question."""
        token = self.token.read_text().strip() if self.token.exists() else ""
        try:
            return await ask(self.admin, method, path, body, token, patience)
        except TimeoutError as error:
            raise AssertionError(f"{method} {path} was not answered within {patience:g} s") from error
        except (OSError, EOFError, ValueError):
            return None

    async def simulate(self, method: str, path: str, body: dict[str, Any] | None = None) -> Answer:
        return await ask(self.sim_api, method, path, body)

    async def session_of(self, chip: str) -> str | None:
        answer = await self.gate("GET", f"/api/v1/chips/{chip}")
        if answer is None or answer.status != 200:
            return None
        assignment = answer.body.get("assignment")
        return assignment["session_identifier"] if assignment else None

    async def disturb(self, session: str, method: str, path: str, body: dict[str, Any] | None = None) -> bool:
        """Something after which the session may leave by another address; noted before it can show."""
        self.disturbed.append(Disturbed(time.time(), session))
        answer = await self.simulate(method, f"/sessions/{urllib.parse.quote(session)}{path}", body)
        return answer.status == 200
