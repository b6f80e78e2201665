"""Export of runs: a plain PyTorch script, or weights."""
