"""Train many networks in one folder: sweeps judge the best, seeds and folds are sweeps, studies compare."""
