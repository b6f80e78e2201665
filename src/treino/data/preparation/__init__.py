"""Preparation of rows for a network: fitted on the training rows alone, and stored with the run."""
