"""Columns in their roles, and rows prepared for a network: fitted on training rows, stored with the run."""
