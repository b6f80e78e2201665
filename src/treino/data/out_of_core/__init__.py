"""Rows that are not held in memory."""
