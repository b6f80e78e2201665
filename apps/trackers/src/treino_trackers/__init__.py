"""Experiment trackers: a training's settings, metrics, pictures and folder in a team's other tools.

Each tracker has a file, with the three methods of ``tracker.Tracker``; ``delivery`` calls them on another
thread.
"""
