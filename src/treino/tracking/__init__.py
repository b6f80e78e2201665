"""Experiment trackers: a training's settings, figures, pictures and folder in the tools that a team keeps.

Each tracker is a file with the three methods of ``tracker.Tracker``; ``delivery`` calls them on a thread
beside the training.
"""
