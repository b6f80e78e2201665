"""Preparation of rows for a network: fitted on training rows alone, and kept with the run."""
