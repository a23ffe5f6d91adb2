"""An audit: a random life, and what is found about it afterwards."""

from __future__ import annotations

import asyncio
import collections
import random
import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import judge
import records
from clients import Hammer
from evidence import Evidence, Terms, Violation, Wait
from steps import Steps
from world import LOOKS, Plan, World


@dataclass
class Result:
    plan: Plan
    violations: list[Violation]
    figures: dict[str, Any]

    def kinds(self) -> set[str]:
        return {one.kind for one in self.violations}

    def text(self) -> str:
        lines = [f"{key}: {value}" for key, value in self.figures.items()]
        shown = [f"  {one.kind}: {one.what}" for one in self.violations[:40]]
        return "\n".join([f"audit of {self.plan}", *lines, f"violations: {len(self.violations)}", *shown])


def run(plan: Plan, folder: Path) -> Result:
    began = time.monotonic()
    world = World(plan, folder)
    evidence, figures = asyncio.run(_live(world))
    found = _collect(world, evidence)
    terms = Terms(bound=plan.bound, quarantine=plan.quarantine)
    found += judge.judge(evidence, terms)
    answered, attempts = judge.served(evidence)
    exposed = judge.exposure(evidence)
    figures |= {
        "seconds": round(time.monotonic() - began, 1),
        "assignments": len(evidence.assignments),
        "sessions drawn": len(evidence.identifiers),
        "fewest assignments of a chip": min(sum(row.chip == chip for row in evidence.assignments)
                                            for chip in evidence.chips),
        "attempts": len(evidence.attempts),
        "attempts under an assignment, with a chipgate that lives": f"{answered} of {attempts} answered ({100 * answered / max(attempts, 1):.1f} %)",
        "why others were not": dict(collections.Counter(one.why for one in judge.under_assignment(evidence)
                                                       if not one.answered).most_common()),
        "chunks of clients": sum(one.chip is not None for one in evidence.heard),
        "chunks of looks": sum(one.chip is None for one in evidence.heard),
        "longest wait": f"{max((one.until - one.since for one in evidence.waits), default=0):.1f} s",
        "disturbed sessions": exposed.moves,
        "of those, clients left by another address": len(exposed.seconds),
        "exposure": (f"median {statistics.median(exposed.seconds):.2f} s, longest {exposed.seconds[-1]:.2f} s"
                     if exposed.seconds else "none"),
    }
    return Result(plan, found, figures)


async def _live(world: World) -> tuple[Evidence, dict[str, Any]]:
    plan = world.plan
    chips = [f"c{index:02}" for index in range(plan.chips)]
    # A reply to a plain request names no address.
    ways = ["connect", "browser", "socks5"] + ["plain"] * (not plan.reply_headers)
    evidence = Evidence(chips=chips, pool=plan.pool)
    world.start_simulator()
    try:
        await asyncio.to_thread(world.start_gate)
        ports: dict[str, int] = {}
        hammer = Hammer(ports, random.Random(plan.seed + 1), ways)
        steps = Steps(world, ports, random.Random(plan.seed))
        for chip in chips:
            await steps.put(chip)
        clients = [asyncio.create_task(hammer.run(chip)) for chip in chips for _ in range(2)]
        watch = asyncio.create_task(steps.watch(evidence.waits))
        async with asyncio.TaskGroup() as work:
            work.create_task(steps.storms(plan.storms))
            work.create_task(steps.killings(plan.kills))
            for _ in range(plan.workers):
                work.create_task(steps.run(plan.steps))
        hammer.stopping = True
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        for task in clients:
            task.cancel()
        ended = await asyncio.gather(*clients, return_exceptions=True)
        wrong = [one for one in ended if isinstance(one, AssertionError)]
        if wrong:
            raise wrong[0]
    finally:
        await asyncio.to_thread(world.stop)
    evidence.attempts, evidence.disturbed, evidence.deaths = hammer.attempts, world.disturbed, world.deaths
    figures = {"steps": f"{steps.done.total()} {dict(steps.done.most_common())}", "kills": len(world.deaths),
               "answers": dict(sorted(steps.answers.items())), "messages": hammer.messages}
    return evidence, figures


def _collect(world: World, evidence: Evidence) -> list[Violation]:
    evidence.heard, strange = records.heard(world.log, {f"{host}:80" for host in LOOKS})
    ledger = records.Ledger(world.ledger)
    try:
        evidence.assignments, evidence.identifiers = ledger.assignments(), ledger.identifiers()
        evidence.denied = ledger.denied()
        state = ledger.integrity()
    finally:
        ledger.close()
    if state != "ok":
        strange.append(Violation("the ledger's file is damaged", state))
    return strange


def main() -> None:
    import argparse
    import tempfile
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reply-headers", action="store_true")
    for name, fallback in (("seed", 1), ("chips", 50), ("steps", 4_000), ("kills", 25), ("storms", 5)):
        parser.add_argument(f"--{name}", type=int, default=fallback)
    parser.add_argument("--program", default="chipgate")
    parser.add_argument("--without", default="")
    parser.add_argument("--keep", type=Path, help="a folder for the log and the ledger")
    chosen = vars(parser.parse_args())
    keep = chosen.pop("keep")
    with tempfile.TemporaryDirectory(prefix="chipgate-audit-") as folder:
        result = run(Plan(**chosen), keep or Path(folder))
    print(result.text())
    raise SystemExit(1 if result.violations else 0)


if __name__ == "__main__":
    main()
