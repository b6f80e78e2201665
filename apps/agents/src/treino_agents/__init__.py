"""Tools for agents by the Model Context Protocol: what they may touch, how each is a command, the server."""

from pathlib import Path

from treino.base.words import add_catalogue

add_catalogue("treino_agents", Path(__file__).parent / "locale")
