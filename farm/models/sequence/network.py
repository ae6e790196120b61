"""Networks over windows: from (rows, bars, features) to one score a class."""

import torch
from torch import nn


class GruNetwork(nn.Module):
    """Gated recurrent units (Cho et al. 2014) over the bars; the last state of the last layer gives the scores."""

    def __init__(self, n_features: int, n_classes: int, *, hidden: int, layers: int, dropout: float) -> None:
        super().__init__()
        between = dropout if layers > 1 else 0.0  # the library warns of a dropout between layers that do not exist
        self.cells = nn.GRU(n_features, hidden, layers, batch_first=True, dropout=between)
        self.dropout = nn.Dropout(dropout)
        self.scores = nn.Linear(hidden, n_classes)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Scores, shape (rows, classes)."""
        _, last = self.cells(windows)
        scores: torch.Tensor = self.scores(self.dropout(last[-1]))
        return scores
