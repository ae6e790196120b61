"""Classical models: linear ones, and later forests and support vectors."""
