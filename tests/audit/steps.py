"""The random life of the audit's chips: what operators do, and what providers do."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter
from typing import Any, Awaitable, Callable

from clients import TARGET
from evidence import Wait
from world import LOOKS, World

# An address is denied for good, and the pool is small.
MOST_BANS = 4
# A slow gateway also holds back requests that it was given before a fence, so it must be quicker than what is allowed.
FAULTS = [{"kind": "status", "status": 502}, {"kind": "silence"}, {"kind": "rst"}, {"kind": "fin"},
          {"kind": "status", "status": 503}, {"kind": "garbage"}, {"kind": "slow", "delay_ms": 100}]
STORMS = [
    [{"stage": "auth", "kind": "reject"}],
    [{"stage": "connect", "kind": "status", "status": 429, "target": look} for look in LOOKS],
    [{"stage": "connect", "kind": "silence", "target": look} for look in LOOKS],
    [{"stage": "origin", "kind": "status", "status": 429, "target": LOOKS[0]}],
    [{"stage": "connect", "kind": "status", "status": 407}],
]


class Steps:
    """Draws steps until there were enough of them. A step counts once chipgate or the simulator has answered."""

    def __init__(self, world: World, ports: dict[str, int], rng: random.Random) -> None:
        self.world, self.ports, self.rng = world, ports, rng
        self.done: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.bans = 0
        self.quiet: set[str] = set()  # released, or not there
        self.may_move = True
        self._kinds: list[tuple[float, Callable[[str], Awaitable[bool]]]] = [
            (16, self.connect), (11, self.release), (12, self.rotate), (7, self.verify), (3, self.suspect),
            (1, self.ban), (4, self.delete), (4, self.put), (4, self.history), (6, self.move), (5, self.move_onto),
            (4, self.end_session), (4, self.cut), (3, self.spoil)]

    @property
    def chips(self) -> list[str]:
        return sorted(self.ports)

    async def run(self, count: int) -> None:
        weights = [weight for weight, _ in self._kinds]
        while self.done.total() < count:
            _, step = self.rng.choices(self._kinds, weights)[0]
            chip = self.rng.choice(self.chips)
            if await step(chip):
                self.done[step.__name__] += 1
            await asyncio.sleep(self.rng.uniform(0.0, 0.2))

    async def _act(self, method: str, path: str, body: dict[str, Any] | None = None) -> bool:
        answer = await self.world.gate(method, f"/api/v1/{path}", body)
        if answer is None:
            await asyncio.sleep(0.1)
            return False
        action = path.split("?")[0].split("/")[-1] if "actions" in path else re.split("[/?]", path)[0]
        self.answers[f"{method} {action} {answer.status}"] += 1
        if answer.status >= 500 and answer.status != 503:
            raise AssertionError(f"{method} {path}: {answer}")
        return True

    # --- operators

    async def connect(self, chip: str) -> bool:
        if self.quiet and self.rng.random() < 0.8:
            chip = self.rng.choice(sorted(self.quiet))
        self.quiet.discard(chip)
        wait = self.rng.choice(("0s", "5s"))
        return await self._act("POST", f"chips/{chip}/actions/connect?wait={wait}", {"force": True})

    async def release(self, chip: str) -> bool:
        self.quiet.add(chip)
        return await self._act("POST", f"chips/{chip}/actions/release", {})

    async def rotate(self, chip: str) -> bool:
        self.quiet.discard(chip)
        wait = self.rng.choice(("0s", "5s"))
        return await self._act("POST", f"chips/{chip}/actions/rotate?wait={wait}", {"force": True})

    async def verify(self, chip: str) -> bool:
        return await self._act("POST", f"chips/{chip}/actions/verify", {})

    async def suspect(self, chip: str) -> bool:
        return await self._act("POST", f"chips/{chip}/actions/report", {"kind": "suspect"})

    async def ban(self, chip: str) -> bool:
        if self.bans >= MOST_BANS:
            return False
        self.bans += 1
        return await self._act("POST", f"chips/{chip}/actions/report", {"kind": "banned", "note": "by the audit"})

    async def delete(self, chip: str) -> bool:
        deleted = await self._act("DELETE", f"chips/{chip}")
        return await self.put(chip) or deleted

    async def put(self, chip: str) -> bool:
        """Also of a chip that is there. It always has the same port: clients that still know the port of a chip that
        was removed are not to be taken for its successor's."""
        port = self.ports.setdefault(chip, self.world.ports.first + 1 + len(self.ports))
        answer = await self.world.gate("PUT", f"/api/v1/chips/{chip}", {"connect": "on_demand", "port": port})
        if answer is None:
            return False
        self.answers[f"PUT chips {answer.status}"] += 1
        return True

    async def history(self, chip: str) -> bool:
        path = self.rng.choice((f"assignments?chip={chip}", f"tunnels?chip={chip}", "status", "events?limit=20"))
        return await self._act("GET", path)

    # --- the provider

    async def _session(self, chip: str) -> str | None:
        return await self.world.session_of(chip) if self.may_move else None

    async def move(self, chip: str) -> bool:
        session = await self._session(chip)
        to = f"127.20.0.{self.rng.randrange(1, self.world.plan.pool + 1)}"
        return session is not None and self.may_move and await self.world.disturb(session, "POST", "/move", {"to": to})

    async def move_onto(self, chip: str) -> bool:
        """Another chip's address."""
        other = await self._session(self.rng.choice(self.chips))
        session = await self._session(chip)
        return (session is not None and other is not None and self.may_move
                and await self.world.disturb(session, "POST", "/duplicate_of", {"session": other}))

    async def end_session(self, chip: str) -> bool:
        session = await self._session(chip)
        how = self.rng.choice(("", "?tunnels=rst", "?tunnels=fin"))
        return session is not None and self.may_move and await self.world.disturb(session, "DELETE", how)

    async def cut(self, chip: str) -> bool:
        session = await self.world.session_of(chip)
        if session is None:
            return False
        await self.world.simulate("POST", "/tunnels/cut", {"session": session, "how": self.rng.choice(("rst", "fin"))})
        return True

    async def spoil(self, chip: str) -> bool:
        """The next few connections of clients."""
        fault = {"stage": "connect", "target": TARGET, "count": self.rng.randrange(1, 4), **self.rng.choice(FAULTS)}
        await self.world.simulate("POST", "/faults", fault)
        return True

    # --- what goes on beside

    async def storms(self, count: int) -> None:
        """The account is refused, or no look is answered. Without an answer a look keeps what it cannot see, so
        nothing moves meanwhile where only looks could tell."""
        plan = self.world.plan
        for index in range(count):
            await asyncio.sleep(self.rng.uniform(4, 10))
            if plan.bound > 0:
                self.may_move = False
                await asyncio.sleep(plan.bound + 0.5)
            for fault in STORMS[(index + plan.seed) % len(STORMS)]:
                await self.world.simulate("POST", "/faults", fault)
            await asyncio.sleep(self.rng.uniform(1, 2.5))
            await self.world.simulate("DELETE", "/faults")
            self.done["storm"] += 1
            await self._calm()
            self.may_move = True

    async def _calm(self) -> None:
        """Until the account is trusted again and every chip has been looked at since."""
        while True:
            answer = await self.world.gate("GET", "/api/v1/gateway")
            if answer is not None and not answer.body.get("account"):
                break
            await asyncio.sleep(0.2)
        await asyncio.sleep(self.world.plan.bound)

    async def killings(self, count: int) -> None:
        while len(self.world.deaths) < count:
            await asyncio.sleep(self.rng.uniform(0.5, 7))
            await self.world.kill_gate()

    async def watch(self, waits: list[Wait]) -> None:
        """Notes who should have an assignment and has none; cancelled at the end."""
        since: dict[str, float] = {}
        try:
            while True:
                answer = await self.world.gate("GET", "/api/v1/chips?limit=1000")
                for chip in answer.body.get("chips", []) if answer is not None else []:
                    waiting = chip["state"] in ("acquiring", "resuming", "blocked") and chip["armed"]
                    if waiting:
                        since.setdefault(chip["id"], time.time())
                    elif chip["id"] in since:
                        waits.append(Wait(chip["id"], since.pop(chip["id"]), time.time()))
                await asyncio.sleep(0.5)
        finally:
            waits += [Wait(chip, began, time.time()) for chip, began in since.items()]
