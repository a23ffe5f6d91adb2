"""Which layer may know which, and who may dial or resolve."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator

from tree import Finding, code_lines, files, layer_of, lines, sources, text_of

# A layer may include only layers of a lower rank, and itself. Equal ranks do not know each other.
RANKS = {
    "base": 0,
    "protocol": 1,
    "telemetry": 1,
    "provider": 2,
    "net": 3,
    "relay": 4,
    "gateway": 5,
    "ledger": 5,
    "lifecycle": 6,
    "proxy": 7,
    "admin": 8,
    "config": 9,
    "cli": 10,
    "app": 11,
}

# The simulator judges chipgate, so it may not share more with it than this.
SIMULATOR = Path("tests/sim")
SIMULATOR_MAY_USE = {"base", "protocol", "net"}

# The only layers that dial: one dials the gateway, the other the running chipgate.
DIALING_LAYERS = {"gateway", "cli"}
# And one file: a webhook is posted to the URL that the configuration names. No client's target can come there.
DIALING_FILES = {Path("src/admin/webhook_client.cpp")}
RESOLVER = Path("src/net/resolver.cpp")

OWN_INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]chipgate/(\w+)/')


def layers(root: Path) -> Iterator[Finding]:
    """An include, or a dependency of a CMake target, goes only downward."""
    upward = re.compile(r'^\s*#\s*include\s*"(\.\./[^"]*|(?:src|include)/[^"]*)"')
    for path in sources(root, "src", "include"):
        layer = layer_of(path)
        if layer not in RANKS:
            yield Finding(path, 1, f"is of no layer that is ranked in {Path(__file__).name}")
            continue
        for number, line in lines(root, path):
            if match := upward.match(line):
                yield Finding(path, number, f'"{match[1]}" goes round the layers; include "chipgate/<layer>/..."')
            if not (match := OWN_INCLUDE.match(line)) or match[1] == layer:
                continue
            if match[1] not in RANKS:
                yield Finding(path, number, f"{match[1]} is no layer")
            elif RANKS[match[1]] >= RANKS[layer]:
                yield Finding(path, number, f"{layer} ({RANKS[layer]}) may not include {match[1]} ({RANKS[match[1]]})")

    for path in files(root, "src", suffixes=(".txt",)):
        layer = layer_of(path)
        if layer is None:
            continue
        for number, line in lines(root, path):
            for used in re.findall(r"\bchipgate_(\w+)\b", line.split("#")[0]):
                if used in RANKS and used != layer and RANKS[used] >= RANKS.get(layer, -1):
                    yield Finding(path, number, f"{layer} may not link {used}")

    for path in sources(root, str(SIMULATOR)):
        for number, line in lines(root, path):
            if (match := OWN_INCLUDE.match(line)) and match[1] not in SIMULATOR_MAY_USE:
                yield Finding(path, number, f"the simulator shares only {', '.join(sorted(SIMULATOR_MAY_USE))}")


class Target:
    """What the CMake target of a layer says that it needs."""

    def __init__(self, text: str) -> None:
        text = re.sub(r"#[^\n]*", "", text)
        call = re.search(r"\bchipgate_layer\s*\(([^)]*)\)", text)
        words = call[1].split() if call else []
        self.public: set[str] = set()
        self.private: set[str] = set()
        group: set[str] = set()
        for word in words:
            if word.isupper():
                group = {"DEPENDS": self.public, "PRIVATE_DEPENDS": self.private}.get(word, set())
            elif match := re.fullmatch(r"chipgate_(\w+)", word):
                group.add(match[1])


def declared(root: Path) -> Iterator[Finding]:
    """A layer includes only layers that its CMake target declares, or that come with those publicly. What a public
    header includes is declared in public."""
    targets = {path.parts[1]: Target(text_of(root, path)) for path in files(root, "src", suffixes=(".txt",))
               if layer_of(path) in RANKS}

    def reached(layers: set[str]) -> set[str]:
        found, left = set(), list(layers)
        while left:
            layer = left.pop()
            if layer not in found:
                found.add(layer)
                left += targets[layer].public if layer in targets else ()
        return found

    for path in sources(root, "src", "include"):
        layer = layer_of(path)
        if layer not in targets:
            continue
        target, is_public = targets[layer], path.parts[0] == "include"
        known = reached(target.public if is_public else target.public | target.private)
        for number, line in lines(root, path):
            if (match := OWN_INCLUDE.match(line)) and match[1] != layer and match[1] not in known:
                where = "DEPENDS" if is_public else "DEPENDS or PRIVATE_DEPENDS"
                yield Finding(path, number, f"chipgate_{match[1]} is not among the {where} of chipgate_{layer}")


def dialing(root: Path) -> Iterator[Finding]:
    """No direct path: only gateway/ and cli/ open a connection."""
    call = re.compile(r"\b(?:connect|\w+_connect)\s*\(|\bsendto\s*\(|\bMSG_FASTOPEN\b|\bTCP_FASTOPEN_CONNECT\b")
    # They shake hands on, or ask about, a connection that was made elsewhere.
    harmless = {"SSL_connect", "on_connect", "finish_connect"}
    # A chip's connect is a wish to the life cycle, and opens no socket.
    wish = re.compile(r"\bcontrol\.connect\(|\bconnect\(ChipId\b")
    for path in sources(root, "src", "include"):
        if layer_of(path) in DIALING_LAYERS or path in DIALING_FILES:
            continue
        for number, line in code_lines(root, path):
            for match in call.finditer(wish.sub("", line)):
                if match[0].rstrip(" (") not in harmless:
                    yield Finding(path, number, f"{match[0].strip()} dials; only {' and '.join(sorted(DIALING_LAYERS))} may")


def resolving(root: Path) -> Iterator[Finding]:
    """No direct path: names are resolved in one file, which is asked for gateways only."""
    call = re.compile(r"\b(getaddrinfo(?:_a)?|gethostbyname\w*|res_n?(?:query|search|send)|async_resolve|"
                      r"(?:tcp|udp)\s*::\s*resolver)\b")
    for path in sources(root, "src", "include"):
        if path == RESOLVER:
            continue
        for number, line in code_lines(root, path):
            if match := call.search(line):
                yield Finding(path, number, f"{match[1]} resolves a name; only {RESOLVER} may")
