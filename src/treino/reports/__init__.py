"""Reports: facts of runs and sweeps, collected and written as a page."""
