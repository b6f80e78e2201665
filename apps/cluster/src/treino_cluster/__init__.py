"""Clusters: a sweep's or study's populations trained in parts by processes on other machines, which Ray
manages."""

from pathlib import Path

from treino.base.words import add_catalogue

add_catalogue("treino_cluster", Path(__file__).parent / "locale")
