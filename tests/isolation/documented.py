"""What docs/bypass.md has people type, for tests that do the same in folders of their own."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import stack  # noqa: E402

PAGE = stack.REPOSITORY / "docs/bypass.md"
ETC = "/etc/chipgate"


def blocks(language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", PAGE.read_text(), re.S | re.M)
    return [text for named, text in found if named == language]


def install(folder: Path) -> None:
    """Every file of the page, into a folder in place of /etc/chipgate."""
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("install ")]
    assert lines, "the page installs nothing"
    for line in lines:
        words = [str(folder) if word == ETC else word for word in shlex.split(line)]
        subprocess.run(words, cwd=stack.REPOSITORY, check=True, capture_output=True, timeout=20)


def firewall(folder: Path, clients: int, ports: str) -> str:
    """What the page puts at the end of /etc/nftables.conf, for files that were installed in the folder."""
    text = next(block for block in blocks("") if "define clients" in block).replace(ETC, str(folder))
    text = re.sub(r"^define clients = .*$", f"define clients = {clients}", text, flags=re.M)
    return re.sub(r"^define ports = .*$", f"define ports = {ports}", text, flags=re.M)


def units() -> list[tuple[str, str]]:
    """Each unit and drop-in of the page: where it goes, as its first line says, and what is in it."""
    found = []
    for block in blocks("ini"):
        head, text = block.split("\n", 1)
        edited = re.fullmatch(r"# systemctl edit (\S+)", head)
        named = re.fullmatch(r"# /etc/systemd/system/(\S+)", head)
        assert edited or named, head
        found.append((f"{edited[1]}.d/override.conf" if edited else str(named and named[1]), text))
    return found
