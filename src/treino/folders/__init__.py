"""Records: what the folders of runs, sweeps and studies hold, read and described."""
