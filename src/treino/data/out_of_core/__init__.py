"""Rows on disk, for data sets larger than memory."""
