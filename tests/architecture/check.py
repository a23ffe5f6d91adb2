#!/usr/bin/env python3
"""Rules about the source tree that no compiler knows. Each prints `file:line: what is wrong` and is proved to catch
a violation by self_test.py.

    check.py            every rule
    check.py RULE...    some of them
    check.py --list     their names
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable, Iterator, NamedTuple

REPOSITORY = Path(__file__).resolve().parents[2]

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

TOP_LEVEL = {
    "CMakeLists.txt", "CMakePresets.json", "src", "include", "config", "tests", "dashboards", "docs", "build",
    "Dockerfile", "README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "LICENSE", "run", "test",
}

# Nothing in the tree may depend on, or tell of, the machine and the tools that it was written with. In two pieces, so
# that this file may be scanned as well.
BANNED_WORDS = [
    r"\bissue" r"\s*#\s*\d",
    r"/wo" r"rk/",
    r"/ro" r"ot/",
    r"bash_" r"jobs",
    r"\bregistry\." r"(npmjs|yarnpkg)",
    r"\b(files\.)?py" r"thonhosted\.org",
    r"\b(deb|snapshot|security)\." r"debian\.org",
    r"\bcl" r"aude\b",
]

LONG_FILE = 300
SKIPPED_FOLDERS = {"build", "node_modules", "__pycache__"}


class Finding(NamedTuple):
    path: Path
    line: int
    text: str
    fatal: bool = True

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {'' if self.fatal else 'note: '}{self.text}"


def files(root: Path, *folders: str, suffixes: tuple[str, ...] = ()) -> Iterator[Path]:
    """The files below the folders (or below the root), relative to it and sorted."""
    for folder in folders or (".",):
        for where, directories, names in os.walk(root / folder):
            directories[:] = sorted(d for d in directories if d not in SKIPPED_FOLDERS and not d.startswith(".git"))
            for name in sorted(names):
                path = Path(where, name).relative_to(root)
                if path.parts[0] != ".git" and (not suffixes or path.suffix in suffixes):
                    yield path


def sources(root: Path, *folders: str) -> Iterator[Path]:
    return files(root, *folders, suffixes=(".cpp", ".hpp"))


def lines(root: Path, path: Path) -> Iterator[tuple[int, str]]:
    return enumerate((root / path).read_text(encoding="utf-8", errors="replace").splitlines(), start=1)


def code_lines(root: Path, path: Path) -> Iterator[tuple[int, str]]:
    """Lines without comments and with empty strings: what a rule about calls should look at."""
    text = (root / path).read_text(encoding="utf-8", errors="replace")

    def blank(match: re.Match[str]) -> str:
        token = match.group()
        if token.startswith("/"):
            return "\n" * token.count("\n") or " "
        return '""' + "\n" * token.count("\n") if not token.startswith("'") else "' '"

    token = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-zA-Z])\'(?:\\.|[^\'\\\n])+\'',
                       re.DOTALL)
    return enumerate(token.sub(blank, text).splitlines(), start=1)


def layer_of(path: Path) -> str | None:
    """src/net/x.cpp and include/chipgate/net/x.hpp are of the layer net."""
    parts = path.parts
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    if parts[:2] == ("include", "chipgate") and len(parts) > 3:
        return parts[2]
    return None


def layers(root: Path) -> Iterator[Finding]:
    """An include, or a dependency of a CMake target, goes only downward."""
    own = re.compile(r'^\s*#\s*include\s*[<"]chipgate/(\w+)/')
    upward = re.compile(r'^\s*#\s*include\s*"(\.\./[^"]*|(?:src|include)/[^"]*)"')
    for path in sources(root, "src", "include"):
        layer = layer_of(path)
        if layer not in RANKS:
            yield Finding(path, 1, f"is of no layer that is ranked in {Path(__file__).name}")
            continue
        for number, line in lines(root, path):
            if match := upward.match(line):
                yield Finding(path, number, f'"{match[1]}" goes round the layers; include "chipgate/<layer>/..."')
            if not (match := own.match(line)) or match[1] == layer:
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
            if (match := own.match(line)) and match[1] not in SIMULATOR_MAY_USE:
                yield Finding(path, number, f"the simulator shares only {', '.join(sorted(SIMULATOR_MAY_USE))}")


def dialing(root: Path) -> Iterator[Finding]:
    """No direct path: only gateway/, cli/ and the webhook open a connection."""
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


def format(root: Path) -> Iterator[Finding]:
    """Every C++ file is as clang-format leaves it."""
    binary = shutil.which("clang-format-19") or shutil.which("clang-format")
    if binary is None:
        yield Finding(Path(".clang-format"), 1, "clang-format-19 is not installed")
        return
    paths = [str(path) for path in sources(root, "src", "include", "tests")]
    if not paths:
        return
    done = subprocess.run([binary, "--dry-run", "--style=file", *paths], cwd=root, capture_output=True, text=True)
    if done.returncode != 0:
        yield Finding(Path(".clang-format"), 1, f"clang-format failed: {done.stderr.strip()[:500]}")
    wrong: dict[str, int] = {}
    for match in re.finditer(r"^(\S+?):(\d+):\d+: warning:", done.stderr, re.MULTILINE):
        wrong.setdefault(match[1], int(match[2]))
    for path, number in wrong.items():
        yield Finding(Path(path), number, f"not formatted; run {Path(binary).name} -i {path}")


def words(root: Path) -> Iterator[Finding]:
    """Nothing that is true only where this was written."""
    banned = re.compile("|".join(BANNED_WORDS), re.IGNORECASE)
    for path in files(root):
        if path.suffix in {".png", ".ico", ".gz"}:
            continue
        for number, line in lines(root, path):
            if match := banned.search(line):
                yield Finding(path, number, f"'{match[0]}' has no place in the project's text")


def top_level(root: Path) -> Iterator[Finding]:
    """The top level holds what a visitor needs and no more."""
    for path in sorted(root.iterdir()):
        if path.name not in TOP_LEVEL and not path.name.startswith("."):
            yield Finding(Path(path.name), 1, "does not belong at the top level")


def length(root: Path) -> Iterator[Finding]:
    """A long file is told of, not forbidden."""
    for path in sources(root, "src", "include", "tests"):
        count = sum(1 for _ in lines(root, path))
        if count > LONG_FILE:
            yield Finding(path, count, f"{count} lines, more than {LONG_FILE}; has it one job?", fatal=False)


def metric_families(root: Path) -> dict[str, tuple[str, set[str]]]:
    """name -> (type, labels), as the metrics table has them."""
    table = (root / "include/chipgate/telemetry/metrics.hpp").read_text(encoding="utf-8")
    rows = re.findall(r'\bX\((\w+),\s*(counter|gauge|histogram),\s*"([^"]*)"', table)
    return {name: (kind, {label for label in labels.split(",") if label}) for name, kind, labels in rows}


def expressions(node: object) -> Iterator[str]:
    """Every query of a dashboard or of an alert file that was read as JSON."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in {"expr", "query", "definition"} and isinstance(value, str):
                yield value
            else:
                yield from expressions(value)
    elif isinstance(node, list):
        for value in node:
            yield from expressions(value)


def dashboard(root: Path) -> Iterator[Finding]:
    """Every metric and label that a dashboard shows exists, and a counter is never shown raw."""
    families = metric_families(root)
    anywhere = {"job", "instance", "le"}
    for path in files(root, "dashboards", suffixes=(".json",)):
        text = (root / path).read_text(encoding="utf-8")

        def at(piece: str) -> int:
            place = text.find(json.dumps(piece)[1:-1])
            return text.count("\n", 0, max(place, 0)) + 1

        try:
            tree = json.loads(text)
        except json.JSONDecodeError as error:
            yield Finding(path, error.lineno, f"not JSON: {error.msg}")
            continue
        queries = list(expressions(tree))
        if not queries:
            yield Finding(path, 1, "shows nothing")
        for query in queries:
            labels = set(anywhere)
            for name in dict.fromkeys(re.findall(r"\b(?:chipgate|process)_\w+", query)):
                family = name
                if family not in families:
                    family = re.sub(r"_(bucket|sum|count)$", "", name)
                    if families.get(family, ("",))[0] != "histogram":
                        yield Finding(path, at(query), f"{name} is in no row of the metrics table")
                        continue
                kind, own = families[family]
                labels |= own
                increasing = kind in {"counter", "histogram"}
                if increasing and not re.search(rf"\b(i?rate|increase|label_values)\s*\([^()]*\b{name}\b", query):
                    yield Finding(path, at(query), f"{name} only ever grows; show its rate or increase")
            used = {label for group in re.findall(r"\b(?:by|without)\s*\(([^)]*)\)", query) for label in group.split(",")}
            used |= {label for group in re.findall(r"\{([^}]*)\}", query) for label in re.findall(r"(\w+)\s*[=!]", group)}
            if match := re.match(r"label_values\(.*,\s*(\w+)\)$", query):
                used.add(match[1])
            for label in sorted(label.strip() for label in used if label.strip()):
                if label not in labels:
                    yield Finding(path, at(query), f"no metric of this query has the label {label}")


RULES: dict[str, Callable[[Path], Iterator[Finding]]] = {
    "layers": layers,
    "dialing": dialing,
    "resolving": resolving,
    "format": format,
    "words": words,
    "top_level": top_level,
    "length": length,
    "dashboard": dashboard,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rules", nargs="*", metavar="RULE", help="of " + " ".join(RULES))
    parser.add_argument("--root", type=Path, default=REPOSITORY)
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(RULES))
        return 0
    if unknown := [rule for rule in arguments.rules if rule not in RULES]:
        parser.error(f"no such rule: {', '.join(unknown)}")
    failed = False
    for name in arguments.rules or RULES:
        for finding in RULES[name](arguments.root.resolve()):
            print(f"{finding} [{name}]")
            failed |= finding.fatal
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
