"""Segments: a batch of records as immutable bytes, chained by hash.

A segment is JSON lines: a header (study, number, hash of the previous segment), the records, and the SHA-256 of all
lines before the last. ``head -n -1 00000001.jsonl | sha256sum`` checks one without Farm.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from farm.errors import BadInput
from farm.ledger.record import Record, from_json, to_json

GENESIS = "0" * 64


class BrokenChain(BadInput):
    """A study's ledger is not what was written; no count may be taken from it."""

    @classmethod
    def study(cls, study: str, problems: Sequence[str]) -> "BrokenChain":
        """The error for a study and what was found in it."""
        return cls(
            f"ledger of study {study!r} was damaged or edited: {'; '.join(problems)}; "
            "bring it back from a copy, since no count can be taken from it"
        )


class SecondWriter(BadInput):
    """Another writer recorded in the same study at the same time; this one recorded nothing."""

    @classmethod
    def at(cls, study: str, number: int) -> "SecondWriter":
        """The error for the segment that both wanted to write."""
        return cls(
            f"ledger of study {study!r}: segment {number} was just written by somebody else, so another run of this "
            "study is under way; let it end, then run again"
        )


@dataclass(frozen=True)
class Segment:
    """One batch of records of a study; ``hash`` is what the next segment names as ``previous``."""

    study: str
    number: int
    previous: str
    records: tuple[Record, ...]
    hash: str


def encode(study: str, number: int, previous: str, records: Sequence[Record]) -> bytes:
    """The segment's bytes."""
    header = {"format": 1, "study": study, "number": number, "previous": previous}
    body = b"".join(_line(value) for value in (header, *map(to_json, records)))
    return body + _line({"sha256": hashlib.sha256(body).hexdigest()})


def decode(content: bytes) -> Segment:
    """The segment of its bytes; ValueError saying what is wrong with them."""
    end = content.rfind(b"\n", 0, -1) + 1
    body, seal = content[:end], content[end:]
    digest = hashlib.sha256(body).hexdigest()
    if seal != _line({"sha256": digest}):
        raise ValueError("is cut short or edited (its last line is not the hash of the lines before it)")
    try:
        header, *values = (json.loads(line) for line in body.splitlines())
        records = tuple(from_json(value) for value in values)
        return Segment(header["study"], header["number"], header["previous"], records, digest)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"is not a segment of records ({error})") from error


def chain(
    study: str, contents: Sequence[tuple[int, bytes]], after: tuple[int, str] = (0, GENESIS)
) -> tuple[list[Segment], list[str]]:
    """The segments that can be read, and everything that is wrong with them as a chain.

    ``contents`` are numbered bytes in order, ``after`` the number and hash of the segment before them.
    """
    segments: list[Segment] = []
    problems: list[str] = []
    number, previous = after
    for found, content in contents:
        problems.extend(f"segment {missing} is missing" for missing in range(number + 1, found))
        whole = found == number + 1
        number = found
        try:
            segment = decode(content)
        except ValueError as error:
            problems.append(f"segment {found} {error}")
            previous = ""
            continue
        if segment.study != study:
            problems.append(f"segment {found} is one of study {segment.study!r}")
        if segment.number != found:
            problems.append(f"segment {found} was written as number {segment.number}")
        if whole and previous and segment.previous != previous:
            problems.append(f"segment {found} does not follow the segment before it (their hashes differ)")
        segments.append(segment)
        previous = segment.hash
    return segments, problems


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode() + b"\n"
