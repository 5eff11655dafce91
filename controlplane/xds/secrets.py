"""Providers' keys and CA bundles, read where they live: `env:NAME` or `file:/path`.

Only the control plane reads them, only to hand them to Envoy. A file is read again when its metadata changed (rotation
by rename, by rewrite, by a Kubernetes volume's symlink). Values never appear in errors, logs or representations.
What Envoy would refuse is a problem here already: one unusable value must not hold up the whole configuration.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path

MAX_BYTES = 1024 * 1024
"""A CA bundle is some 200 KiB; anything larger is not what was meant."""


_CREDENTIAL = re.compile(rb"[\x21-\x7e]{1,8192}")
"""What may stand in a header value after `Bearer ` (RFC 6750 section 2.1 allows fewer characters)."""


class SecretError(Exception):
    """A reference that cannot be resolved; says why, never what was read."""


class SecretReader:
    """Resolves references; `changed` tells cheaply whether resolving again could give anything else."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._seen: dict[str, tuple[int, int, int] | None] = {}

    def resolve(self, reference: str) -> bytes:
        """Value of one reference. Raises SecretError naming the reference."""
        kind, _, rest = reference.partition(":")
        if kind == "env" and rest:
            return self._from_environment(rest)
        if kind == "file" and rest.startswith("/"):
            return _from_file(rest)
        raise SecretError(f"{reference!r}: expected env:NAME or file:/absolute/path")

    def read(
        self, credentials: Iterable[str], authorities: Iterable[str] = ()
    ) -> tuple[dict[str, bytes], tuple[str, ...]]:
        """(usable values by reference, problems); remembers the files' state for `changed`."""
        values: dict[str, bytes] = {}
        problems: list[str] = []
        self._seen = {}
        wanted = [(item, check_credential) for item in sorted(set(credentials))]
        wanted += [(item, check_authorities) for item in sorted(set(authorities))]
        for reference, check in wanted:
            self._seen[reference] = _state(reference)
            try:
                value = self.resolve(reference)
                check(reference, value)
            except SecretError as error:
                problems.append(str(error))
            else:
                values[reference] = value
        return values, tuple(problems)

    def changed(self) -> bool:
        """Whether any file read last time has been replaced, rewritten, created or removed since."""
        return any(_state(reference) != seen for reference, seen in self._seen.items())

    def _from_environment(self, name: str) -> bytes:
        value = self._environment.get(name, "")
        if not value.strip():
            raise SecretError(f"'env:{name}': the environment variable {name} is not set")
        return value.strip().encode()


def check_credential(reference: str, value: bytes) -> None:
    """Raises SecretError when a value cannot be a credential in a header."""
    if not _CREDENTIAL.fullmatch(value):
        raise SecretError(f"{reference!r}: a credential is one line of at most 8192 visible ASCII characters")


def check_authorities(reference: str, value: bytes) -> None:
    """Raises SecretError when a value is not a PEM bundle with at least one certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=value.decode("ascii", "ignore"))  # comments may be in UTF-8
    except (ssl.SSLError, ValueError) as error:
        raise SecretError(f"{reference!r}: not a bundle of PEM certificates") from error
    if not context.cert_store_stats()["x509"]:
        raise SecretError(f"{reference!r}: holds no certificate")


def _from_file(path: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            value = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise SecretError(f"'file:{path}': {error.strerror}") from error
    if not value.strip():
        raise SecretError(f"'file:{path}': the file is empty")
    if len(value) > MAX_BYTES:
        raise SecretError(f"'file:{path}': larger than {MAX_BYTES} bytes")
    return value.strip()


def _state(reference: str) -> tuple[int, int, int] | None:
    """(modification time, inode, size) of a file reference; None for others and for what is not there."""
    if not reference.startswith("file:"):
        return None
    try:
        found = Path(reference.removeprefix("file:")).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
