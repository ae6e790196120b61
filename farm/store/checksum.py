"""The checksum that every stored file carries: 16 bytes of BLAKE2b over its content."""

import hashlib
from collections.abc import Iterable

LENGTH = 16


def checksum(*parts: bytes | memoryview) -> bytes:
    """The checksum of the parts as one."""
    return checksum_of(parts)


def checksum_of(parts: Iterable[bytes | memoryview]) -> bytes:
    """The checksum of parts that come one after the other.

    >>> checksum_of([b"farm"]) == checksum(b"fa", b"rm")
    True
    """
    hasher = hashlib.blake2b(digest_size=LENGTH)
    for part in parts:
        hasher.update(part)
    return hasher.digest()
