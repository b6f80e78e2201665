"""Reports: what is gathered from runs and sweeps, and where the page is written."""
