"""The source tree as rules see it: its files, their lines, and what a rule finds wrong."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Iterator, NamedTuple

REPOSITORY = Path(__file__).resolve().parents[2]
SKIPPED_FOLDERS = {"build", "node_modules", "__pycache__"}


class Finding(NamedTuple):
    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


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


def text_of(root: Path, path: Path) -> str:
    return (root / path).read_text(encoding="utf-8", errors="replace")


def lines(root: Path, path: Path) -> Iterator[tuple[int, str]]:
    return enumerate(text_of(root, path).splitlines(), start=1)


def code_lines(root: Path, path: Path) -> Iterator[tuple[int, str]]:
    """Lines without comments and with empty strings: what a rule about calls should look at."""
    def blank(match: re.Match[str]) -> str:
        token = match.group()
        if token.startswith("/"):
            return "\n" * token.count("\n") or " "
        return '""' + "\n" * token.count("\n") if not token.startswith("'") else "' '"

    token = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-zA-Z])\'(?:\\.|[^\'\\\n])+\'',
                       re.DOTALL)
    return enumerate(token.sub(blank, text_of(root, path)).splitlines(), start=1)


def layer_of(path: Path) -> str | None:
    """src/net/x.cpp and include/chipgate/net/x.hpp are of the layer net."""
    parts = path.parts
    if parts[0] == "src" and len(parts) > 2:
        return parts[1]
    if parts[:2] == ("include", "chipgate") and len(parts) > 3:
        return parts[2]
    return None
