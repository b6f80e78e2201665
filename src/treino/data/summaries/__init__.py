"""Descriptions of a table or of images and their problems, before training."""
