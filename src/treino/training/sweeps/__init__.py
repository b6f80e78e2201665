"""Sweeps: train many networks in one folder, keep the best, and judge it; seeds and folds are sweeps too."""
