"""Certificates of a test's own."""

from __future__ import annotations

import subprocess
from pathlib import Path


def make_certificate(folder: Path, name: str, *more: str) -> tuple[Path, Path, Path]:
    """An authority and a certificate for the names that it signed: (authority, certificate, key)."""
    names = ",".join(f"DNS:{one}" for one in (name, *more))
    new_key = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    authority, authority_key = folder / "authority.pem", folder / "authority.key"
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    for command in (
        [*new_key, "-subj", "/CN=chipgate tests", "-out", authority, "-keyout", authority_key],
        [*new_key, "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}", "-addext",
         "basicConstraints=critical,CA:false", "-CA", authority, "-CAkey", authority_key, "-out", certificate,
         "-keyout", key],
    ):
        subprocess.run(list(map(str, command)), check=True, capture_output=True, timeout=30)
    return authority, certificate, key
