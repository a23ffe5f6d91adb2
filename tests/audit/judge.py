"""Compares what origins saw with what the ledger says. Pure: evidence in, violations out.

Nothing here asks chipgate anything. The origin log says which bytes came from which address under which session, the
clients' bytes say whose they are, and the ledger's rows say who should have had what when. Times are Unix seconds."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass

from evidence import (DIRECT, IDLE, MOVED, MUTE, NAMELESS, OUTSIDE, REUSED, SHARED, STUCK, UNISSUED, UNSERVED, Assignment,
                      Attempt, Evidence, Heard, Terms, Violation, Wait)

# What the pool's addresses have in common; everything else on this host is the host's own.
POOL_PREFIX = "127.20."


def judge(evidence: Evidence, terms: Terms) -> list[Violation]:
    """Everything that must not have happened, and did."""
    return _Trial(evidence, terms).isolation() + liveness(evidence, terms)


class _Trial:
    def __init__(self, evidence: Evidence, terms: Terms) -> None:
        self.evidence, self.terms = evidence, terms
        self.found: list[Violation] = []
        self.by_session: dict[str, Assignment] = {}
        self.disturbed: dict[str, list[float]] = defaultdict(list)
        for one in evidence.disturbed:
            self.disturbed[one.session].append(one.at)

    def isolation(self) -> list[Violation]:
        self._sessions_are_unique()
        self._sessions_were_issued()
        used: dict[Assignment, set[str]] = defaultdict(set)
        for heard in self.evidence.heard:
            self._own_address(heard)
            assignment = self._assignment_of(heard)
            if assignment and not self._excused(heard, assignment):
                if heard.source not in assignment.exits:
                    self._add(MOVED, f"{assignment.chip} has {sorted(assignment.exits)} by assignment "
                                     f"{assignment.id}, and sent from {heard.source} at {heard.at:.3f}")
                used[assignment].add(heard.source)
        self._exclusive(used)
        return self.found

    def _add(self, kind: str, what: str) -> None:
        self.found.append(Violation(kind, what))

    def _sessions_are_unique(self) -> None:
        for one in self.evidence.assignments:
            other = self.by_session.setdefault(one.session, one)
            if other is not one:
                self._add(REUSED, f"{one.session} is of the assignments {other.id} and {one.id}")
        issued = Counter(one.session for one in self.evidence.identifiers)
        for session, times in issued.items():
            if times > 1:
                self._add(REUSED, f"{session} was issued {times} times")

    def _sessions_were_issued(self) -> None:
        issued = {one.session: one for one in self.evidence.identifiers}
        judged: set[str] = set()
        for heard in sorted(self.evidence.heard, key=lambda one: one.at):
            if heard.session in judged or not heard.session:
                continue
            judged.add(heard.session)
            row = issued.get(heard.session)
            if row is None:
                self._add(UNISSUED, f"{heard.session} is not in the ledger")
            elif heard.at < row.issued - self.terms.clock:
                self._add(UNISSUED, f"{heard.session} was used {row.issued - heard.at:.3f} s before it was issued")

    def _own_address(self, heard: Heard) -> None:
        if not heard.source.startswith(POOL_PREFIX):
            self._add(DIRECT, f"{heard.chip or 'a look'} came from {heard.source} at {heard.at:.3f}")
        elif not heard.session:
            self._add(NAMELESS, f"{heard.source} reached {heard.target} without a session at {heard.at:.3f}")

    def _assignment_of(self, heard: Heard) -> Assignment | None:
        """Whose bytes they are, where that is beyond doubt."""
        row = self.by_session.get(heard.session)
        late = row is not None and heard.at > row.end + self.terms.after_fence
        if late:
            self._add(REUSED, f"{heard.session} ended at {row.end:.3f} and was used at {heard.at:.3f}")
        if heard.chip is None:
            return None
        if row is None:
            self._add(OUTSIDE, f"{heard.chip} sent at {heard.at:.3f} under {heard.session!r}, which was never assigned")
            return None
        if row.chip != heard.chip:
            self._add(REUSED, f"{heard.session} is of {row.chip}, and {heard.chip} used it at {heard.at:.3f}")
            return None
        if late or heard.at < row.opened - self.terms.clock:
            self._add(OUTSIDE, f"{heard.chip} sent at {heard.at:.3f}, assignment {row.id} was open from "
                               f"{row.opened:.3f} to {row.end:.3f}")
            return None
        return row

    def _excused(self, heard: Heard, assignment: Assignment) -> bool:
        """The session moved not long ago."""
        if heard.source in assignment.exits:
            return False
        return any(at <= heard.at <= at + self.terms.bound for at in self.disturbed[heard.session])

    def _exclusive(self, used: dict[Assignment, set[str]]) -> None:
        on: dict[str, list[Assignment]] = defaultdict(list)
        for assignment, sources in used.items():
            for source in sources:
                on[source].append(assignment)
        for source, rows in on.items():
            rows.sort(key=lambda row: row.opened)
            for index, row in enumerate(rows):
                for other in rows[index + 1:]:
                    if other.opened >= row.end:
                        break
                    if other.chip != row.chip:
                        self._add(SHARED, f"{row.chip} (assignment {row.id}) and {other.chip} (assignment {other.id}) "
                                          f"were on {source} from {other.opened:.3f}")


def under_assignment(evidence: Evidence) -> list[Attempt]:
    """The attempts that began while their chip had an assignment that nobody had begun to end. Those that a kill struck
    are left out: who is dead serves nobody, and that is not what is asked."""
    rows: dict[str, list[Assignment]] = defaultdict(list)
    for row in evidence.assignments:
        rows[row.chip].append(row)
    return [one for one in evidence.attempts
            if any(row.opened <= one.began < min(row.end, row.closing or math.inf) for row in rows[one.chip])
            and not _struck(one, evidence)]


def _struck(attempt: Attempt, evidence: Evidence) -> bool:
    """By a kill."""
    return any(death.since <= attempt.began + attempt.seconds and attempt.began <= death.until
               for death in evidence.deaths)


def served(evidence: Evidence) -> tuple[int, int]:
    """Of the attempts under an assignment: how many got their bytes, and how many there were."""
    under = under_assignment(evidence)
    return sum(one.answered for one in under), len(under)


def liveness(evidence: Evidence, terms: Terms) -> list[Violation]:
    found = []
    answered, attempts = served(evidence)
    if answered < terms.answered * attempts or attempts == 0:
        found.append(Violation(UNSERVED, f"{answered} of {attempts} attempts"))
    found += [Violation(MUTE, f"{one.chip} at {one.began:.3f}: {one.why}") for one in evidence.attempts
              if one.mute and not _struck(one, evidence)]
    had = Counter(row.chip for row in evidence.assignments)
    found += [Violation(IDLE, f"{chip} had {had[chip]}") for chip in evidence.chips
              if had[chip] < terms.assignments_per_chip]
    for wait in evidence.waits:
        longest = _longest_with_a_free_address(wait, evidence, terms)
        if longest >= terms.longest_wait:
            found.append(Violation(STUCK, f"{wait.chip} for {longest:.0f} s from {wait.since:.3f}"))
    return found


def _longest_with_a_free_address(wait: Wait, evidence: Evidence, terms: Terms) -> float:
    """The longest stretch of the wait in which an address was neither held, nor resting, nor denied."""
    if wait.until - wait.since < terms.longest_wait:
        return 0.0
    longest = began = 0.0
    step, at = 0.5, wait.since
    counting = False
    while at <= wait.until:
        taken = {exit_ip for row in evidence.assignments if row.opened <= at < row.end + terms.quarantine
                 for exit_ip in row.exits}
        free = evidence.pool - evidence.denied - len(taken) > 0
        if free and not counting:
            began = at
        counting = free
        if counting:
            longest = max(longest, at - began)
        at += step
    return longest


@dataclass(frozen=True)
class Exposure:
    """How long clients really left by an address that their session had moved to."""

    moves: int
    seconds: list[float]


def exposure(evidence: Evidence) -> Exposure:
    rows = {row.session: row for row in evidence.assignments}
    moved: dict[str, list[float]] = defaultdict(list)
    for one in evidence.disturbed:
        moved[one.session].append(one.at)
    worst: dict[tuple[str, float], float] = {}
    for heard in evidence.heard:
        row = rows.get(heard.session)
        if heard.chip is None or row is None or heard.source in row.exits:
            continue
        before = [at for at in moved[heard.session] if at <= heard.at]
        if before:
            key = (heard.session, before[-1])
            worst[key] = max(worst.get(key, 0.0), heard.at - before[-1])
    return Exposure(len(evidence.disturbed), sorted(worst.values()))
