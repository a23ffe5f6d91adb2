"""The clients under test, what each of them does through a port, and what its own interface has no way to do. The table in
docs/clients.md is written from here."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

HTTP, SOCKS = "http", "socks5h"

# By scenario, as the table calls it.
SCENARIOS = {
    "page": "HTTPS",
    "websocket": "WebSocket",
    "media": "16 MiB up and down",
    "twenty": "20 tunnels at once",
    "client_killed": "is killed",
    "gateway_cuts": "is cut off",
    "half_close": "ends its side first",
    "target_ends": "target ends first",
}

ONLY_WEBSOCKETS = "speaks WebSockets alone"
ONLY_ITS_OWN = "asks for no page"
NO_WEBSOCKETS = "knows no WebSockets"
CLOSING_FRAMES = "ends a WebSocket by frames, and its connection in both directions at once"
BOTH_SIDES = "closes a connection in both directions at once"
NO_SOCKS_DISPATCHER = "downloads by an undici dispatcher, which leads to no SOCKS port"


@dataclass(frozen=True)
class Client:
    """One way of one program to use a proxy. `lacks` has those scenarios that its interface cannot do, and why."""

    name: str
    kind: str
    scheme: str = HTTP
    lacks: dict[str, str] = field(default_factory=dict)

    @property
    def chip(self) -> str:
        return self.name.replace(" ", "_")

    @property
    def scenarios(self) -> list[str]:
        return [scenario for scenario in SCENARIOS if scenario not in self.lacks]


def of(kind: str) -> tuple[Client, ...]:
    return tuple(client for client in CLIENTS if client.kind == kind)


_AXIOS = {"websocket": NO_WEBSOCKETS}
_BAILEYS = {"page": ONLY_ITS_OWN, "half_close": CLOSING_FRAMES}
# Debian's 7.88; and no version ends its side alone.
_CURL = {"websocket": NO_WEBSOCKETS, "half_close": BOTH_SIDES}
_CHROMIUM = {"half_close": BOTH_SIDES}

CLIENTS = (
    Client("Baileys 7.0.0-rc14", "baileys", lacks=_BAILEYS),
    Client("Baileys 7.0.0-rc14 over SOCKS", "baileys", SOCKS, lacks={**_BAILEYS, "media": NO_SOCKS_DISPATCHER}),
    Client("Baileys 6.7.24", "baileys6", lacks=_BAILEYS),
    Client("Baileys 6.7.24 over SOCKS", "baileys6", SOCKS, lacks=_BAILEYS),
    Client("https-proxy-agent 9", "node"),
    Client("https-proxy-agent 7", "node"),
    Client("https-proxy-agent 5", "node"),
    Client("socks-proxy-agent", "node", SOCKS),
    Client("undici 7", "node"),
    Client("undici 6", "node"),
    Client("axios", "node", lacks=_AXIOS),
    Client("axios 1.6 with an agent", "node", lacks=_AXIOS),
    Client("ws", "ws", lacks={"page": ONLY_WEBSOCKETS, "half_close": CLOSING_FRAMES}),
    Client("Chromium", "chromium", lacks=_CHROMIUM),
    Client("Chromium over SOCKS", "chromium", "socks5", lacks=_CHROMIUM),
    Client("Go", "go"),
    Client("Go over SOCKS", "go", "socks5"),
    Client("curl", "curl", lacks=_CURL),
    Client("curl over SOCKS", "curl", SOCKS, lacks=_CURL),
    Client("Python", "stdlib", lacks={"websocket": NO_WEBSOCKETS}),
)

PAGE = Path(__file__).resolve().parents[2] / "docs/clients.md"
BEGIN, END = "<!-- tests/clients/clients.py writes this table. -->\n", "<!-- Its end. -->\n"


def table() -> str:
    reasons = list(dict.fromkeys(why for client in CLIENTS for why in client.lacks.values()))
    lines = ["| client | " + " | ".join(SCENARIOS.values()) + " |", "| --- |" + " --- |" * len(SCENARIOS)]
    for client in CLIENTS:
        cells = ("yes" if scenario not in client.lacks else f"no ({reasons.index(client.lacks[scenario]) + 1})"
                 for scenario in SCENARIOS)
        lines.append(f"| {client.name} | {' | '.join(cells)} |")
    notes = [f"{number}. It {why}." for number, why in enumerate(reasons, 1)]
    return "\n".join([*lines, "", *notes, ""])


def written() -> tuple[str, str, str]:
    """The page: what is before the table, the table, and what is after."""
    before, behind = PAGE.read_text().split(BEGIN)
    now, after = behind.split(END)
    return before, now, after


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("clients.py --write: writes the table in docs/clients.md")
    start, _, rest = written()
    PAGE.write_text(start + BEGIN + table() + END + rest)
