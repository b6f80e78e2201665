"""Folders: what is kept on disk of runs, sweeps and studies, and what a reader is told of it."""
