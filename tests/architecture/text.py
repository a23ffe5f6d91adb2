"""What every file has to be like, whatever it says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Iterator

from tree import Finding, files, lines, sources

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

LONGEST_FILE = 300
# Those that may be longer, each with its reason.
MAY_BE_LONG: dict[str, str] = {}


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
    """A longer file has more than one job."""
    for path in files(root, "src", "include", "tests", suffixes=(".cpp", ".hpp", ".py")):
        count = sum(1 for _ in lines(root, path))
        if count > LONGEST_FILE and str(path) not in MAY_BE_LONG:
            yield Finding(path, count, f"{count} lines, more than {LONGEST_FILE}; split it by its jobs")
    for name in MAY_BE_LONG:
        if not (root / name).exists():
            yield Finding(Path(name), 1, "is gone, and may leave the list of long files")
