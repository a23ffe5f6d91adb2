"""The image is built from what its build may see."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator

from tree import Finding, lines


def image(root: Path) -> Iterator[Finding]:
    """Whatever the Dockerfile copies is there, and .dockerignore lets it through."""
    ignored = root / ".dockerignore"
    if not ignored.exists():
        return
    let_through = [line[1:].rstrip("/") for line in ignored.read_text(encoding="utf-8").splitlines() if line.startswith("!")]
    for number, line in lines(root, Path("Dockerfile")):
        copied = re.match(r"COPY\s+(?!--from)(.+)\s+\S+$", line)
        for path in copied[1].split() if copied else []:
            if not (root / path).exists():
                yield Finding(Path("Dockerfile"), number, f"there is no {path}")
            elif not any(path == one or path.startswith(one + "/") for one in let_through):
                yield Finding(Path("Dockerfile"), number, f".dockerignore keeps {path} from the build")
