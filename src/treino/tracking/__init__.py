"""Experiment trackers: a training's settings, figures, pictures and folder in the tools that a team keeps.

A file for each tracker, behind the three functions of ``tracker.Tracker``; ``delivery`` calls them beside the
training, on a thread of its own.
"""
