"""Groups of commands that `farm.cli` mounts; each imports what it works with only when it is called."""
