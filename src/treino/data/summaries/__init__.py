"""Describe a table or images and their problems, before training."""
