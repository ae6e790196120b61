"""The training of a network on windows, by Lightning: seeded, quiet, leaving no file, its best epoch kept."""

import logging
import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import lightning
import numpy as np
import torch
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.utilities.warnings import PossibleUserWarning
from numpy.typing import NDArray
from torch import nn

from farm.models.contract import Device, Float, Windows

Int = NDArray[np.int64]
Weights = dict[str, NDArray[Any]]

_TOGETHER = 256


@dataclass(frozen=True)
class Schedule:
    """How a network is trained: AdamW (Loshchilov and Hutter 2019) at a rate that warms up linearly over ``warm_up``
    epochs and then falls to 0 along a cosine, gradients clipped to the norm ``clip``, at most ``epochs``; with
    ``patience`` no more than so many after the best one."""

    learning_rate: float
    weight_decay: float
    clip: float
    batch: int
    epochs: int
    warm_up: int
    patience: int | None

    def rate(self, epoch: float) -> float:
        """Part of the learning rate at a moment, counted in epochs.

        >>> schedule = Schedule(0.1, 0.0, 1.0, batch=8, epochs=9, warm_up=1, patience=None)
        >>> [round(schedule.rate(epoch), 3) for epoch in (0.5, 1.0, 5.0, 9.0)]
        [0.5, 1.0, 0.5, 0.0]
        """
        warm_up = min(self.warm_up, self.epochs / 2)
        if epoch < warm_up:
            return epoch / warm_up
        return 0.5 * (1.0 + math.cos(math.pi * (epoch - warm_up) / (self.epochs - warm_up)))


@dataclass(frozen=True, eq=False)
class Batches:
    """Windows in batches, gathered as they are asked for, with class numbers and weights; shuffled where there is an
    ``rng``, anew in every epoch."""

    windows: Windows
    rows: Int
    code: Int
    weight: Float
    size: int
    rng: np.random.Generator | None = None

    def __len__(self) -> int:
        return -(-len(self.rows) // self.size)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
        order = np.arange(len(self.rows)) if self.rng is None else self.rng.permutation(len(self.rows))
        for start in range(0, len(order), self.size):
            chosen = order[start : start + self.size]
            yield (
                torch.from_numpy(self.windows[self.rows[chosen]].astype(np.float32)),
                torch.from_numpy(self.code[chosen]),
                torch.from_numpy(self.weight[chosen].astype(np.float32)),
            )


@contextmanager
def pinned_torch(threads: int, seed: int) -> Iterator[None]:
    """A context in which PyTorch uses so many threads and draws from this seed; afterwards both are as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(before)


def train(network: nn.Module, batches: Batches, tail: Batches | None, schedule: Schedule, device: Device) -> Weights:
    """The network's weights after training: those of the epoch with the least loss on the ``tail``, else the last.

    Raises
    ------
    ValueError
        ``device`` is cuda where there is no GPU.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device is cuda, but no GPU is visible to this process; run where there is one, or on the CPU")
    module = _Module(network, schedule, len(batches))
    best = _BestEpoch(module, schedule.patience)
    with _quiet():
        trainer = lightning.Trainer(
            accelerator="gpu" if device == "cuda" else "cpu",
            devices=1,
            max_epochs=schedule.epochs,
            gradient_clip_val=schedule.clip,
            callbacks=[best] if tail is not None else [],
            plugins=[LightningEnvironment()],  # else it looks for a cluster's variables around it
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )
        trainer.fit(module, batches, tail)
    state = network.state_dict() if best.state is None else best.state
    return {name: value.detach().cpu().numpy() for name, value in state.items()}


def scores(network: nn.Module, weights: Weights, windows: Windows) -> Float:
    """The network's scores of every window, shape (n, classes), computed on the CPU.

    Rows go through in batches of one size, the last one filled up: a matrix product of another size may round a row
    differently, and a row's prediction must not depend on its company.
    """
    network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    network.eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(windows), _TOGETHER):
            rows = np.arange(start, min(start + _TOGETHER, len(windows)))
            batch = np.zeros((_TOGETHER, *windows.shape[1:]), dtype=np.float32)
            batch[: len(rows)] = windows[rows]
            found.append(network(torch.from_numpy(batch)).numpy()[: len(rows)])
    return np.concatenate(found).astype(np.float64)


class _Module(lightning.LightningModule):
    """Weighted cross-entropy of a network, and its optimiser."""

    def __init__(self, network: nn.Module, schedule: Schedule, steps_an_epoch: int) -> None:
        super().__init__()
        self.network = network
        self.schedule = schedule
        self.steps_an_epoch = steps_an_epoch
        self.tail_loss = math.inf
        self._watched: list[tuple[float, float]] = []

    def training_step(self, batch: Any, _number: int) -> torch.Tensor:
        windows, code, weight = batch
        return (weight * self._losses(windows, code)).mean()

    def validation_step(self, batch: Any, _number: int) -> None:
        windows, code, weight = batch
        loss = (weight * self._losses(windows, code)).sum()
        self._watched.append((float(loss), float(weight.sum())))

    def on_validation_epoch_end(self) -> None:
        loss, weight = np.sum(self._watched, axis=0)
        self.tail_loss = float(loss / weight)
        self._watched.clear()

    def configure_optimizers(self) -> Any:
        schedule = self.schedule
        optimiser = torch.optim.AdamW(self.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay)
        rates = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: schedule.rate((step + 1) / self.steps_an_epoch)
        )
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": rates, "interval": "step"}}

    def _losses(self, windows: torch.Tensor, code: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(self.network(windows), code, reduction="none")


class _BestEpoch(lightning.Callback):
    """Keeps the weights of the best epoch in memory, and stops once ``patience`` epochs brought nothing better."""

    def __init__(self, module: _Module, patience: int | None) -> None:
        self.state: dict[str, torch.Tensor] | None = None
        self._module = module
        self._patience = patience
        self._best = math.inf
        self._since = 0

    def on_validation_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:  # noqa: ARG002  # the hook's signature
        if self._module.tail_loss < self._best:
            self._best, self._since = self._module.tail_loss, 0
            self.state = deepcopy(self._module.network.state_dict())
            return
        self._since += 1
        if self._patience is not None and self._since >= self._patience:
            trainer.should_stop = True


@contextmanager
def _quiet() -> Iterator[None]:
    """Lightning without its remarks on itself, the machine and the loaders, which are as they are meant to be."""
    log = logging.getLogger("lightning.pytorch")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PossibleUserWarning)
            # Lightning 2.6 asks PyTorch 2.13 in a way that this one calls old.
            warnings.filterwarnings("ignore", message=".*LeafSpec.* is deprecated", category=FutureWarning)
            yield
    finally:
        log.setLevel(before)
