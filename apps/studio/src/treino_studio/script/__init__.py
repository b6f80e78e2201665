"""Any training script, unchanged: run in a process of its own, watched and steered."""

from treino_studio.script.commands import button

__all__ = ["button"]
