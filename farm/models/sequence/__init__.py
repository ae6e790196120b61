"""Models that read the bars before a decision in their order; PyTorch is imported only where one of them is used."""
