"""What an audit has seen, and what it allows. Times are Unix seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

# The ways to break the promise. Each has a test that the judge sees it.
SHARED = "two chips on one address"
MOVED = "a chip on two addresses within one assignment"
OUTSIDE = "bytes outside an open assignment"
REUSED = "a session used twice"
UNISSUED = "a session that the ledger did not know before its first byte"
DIRECT = "bytes from the host's own address"
NAMELESS = "bytes that no client of the audit sent"
# And what would make all of them easy to keep.
UNSERVED = "clients did not get their bytes"
MUTE = "a client was closed without a word, which reads as a broken login"
IDLE = "a chip with too few assignments"
STUCK = "a chip without an assignment while an address was free"


@dataclass(frozen=True)
class Heard:
    """A chunk that an origin read. Looks have no chip."""

    at: float
    source: str
    session: str
    target: str
    chip: str | None
    nonce: str = ""


@dataclass(frozen=True)
class Assignment:
    """A row of the ledger that was open at some time."""

    id: int
    chip: str
    session: str  # as the gateway hears it
    exits: frozenset[str]
    opened: float
    closing: float | None
    released: float | None

    @property
    def end(self) -> float:
        return math.inf if self.released is None else self.released


@dataclass(frozen=True)
class Identifier:
    session: str
    chip: str
    issued: float


@dataclass(frozen=True)
class Disturbed:
    """From now on the session may leave by another address."""

    at: float
    session: str


@dataclass(frozen=True)
class Attempt:
    """A client's connection: from the first packet to the first byte that came back, or to the client's giving up."""

    chip: str
    began: float
    answered: bool
    why: str = ""  # it was not
    seconds: float = 0.0
    mute: bool = False  # it was closed, by no reset, before it heard a word


@dataclass(frozen=True)
class Death:
    """From a kill until chipgate was there again."""

    since: float
    until: float


@dataclass(frozen=True)
class Wait:
    """A chip that should have had an assignment, and had none that admits."""

    chip: str
    since: float
    until: float


@dataclass
class Evidence:
    heard: list[Heard] = field(default_factory=list)
    assignments: list[Assignment] = field(default_factory=list)
    identifiers: list[Identifier] = field(default_factory=list)
    disturbed: list[Disturbed] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    deaths: list[Death] = field(default_factory=list)
    chips: list[str] = field(default_factory=list)
    pool: int = 0
    denied: int = 0


@dataclass(frozen=True)
class Terms:
    """What is allowed."""

    # A session may leave by another address for so long before that counts.
    bound: float = 0.0
    # Bytes that a peer had received before a reset may still be read.
    after_fence: float = 0.2
    # The log counts in milliseconds, the ledger in microseconds.
    clock: float = 0.001
    quarantine: float = 0.0
    answered: float = 0.9
    assignments_per_chip: int = 5
    longest_wait: float = 30.0


@dataclass(frozen=True)
class Violation:
    kind: str
    what: str
