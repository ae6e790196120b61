"""What a worker of a distributed fit is told: how it is trained, and which rows are its own."""

from dataclasses import dataclass
from typing import Any

from farm.run.rows_apart import Block, Sampled


@dataclass(frozen=True)
class Job:
    """One fit as it travels: under which key its booster is stored, and how it is trained."""

    key: str
    parameters: dict[str, Any]
    rounds: int
    patience: int | None
    max_bin: int
    threads: int


@dataclass(frozen=True)
class Share:
    """One worker's rows: what it trains on, what it watches to stop, and what bins are made of where it makes them."""

    train: list[Block]
    tail: list[Block]
    sampled: list[Sampled]
