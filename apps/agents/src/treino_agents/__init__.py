"""``treino mcp``: a server that gives agents treino's commands as tools, by the Model Context Protocol."""

from pathlib import Path

from treino.base.words import add_catalogue

add_catalogue("treino_agents", Path(__file__).parent / "locale")
