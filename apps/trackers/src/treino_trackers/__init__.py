"""Experiment trackers: a training's settings, metrics, pictures and folder in a team's other tools.

Each tracker has a file, with the three methods of ``tracker.Tracker``; ``delivery`` calls them on another
thread.
"""

from pathlib import Path

from treino.base.words import add_catalogue

add_catalogue("treino_trackers", Path(__file__).parent / "locale")
