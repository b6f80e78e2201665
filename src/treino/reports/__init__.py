"""Reports: facts of runs and sweeps, gathered and written as a page."""
