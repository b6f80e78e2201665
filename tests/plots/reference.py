"""Comparison of pictures with stored small ones; ``TREINO_REFERENCES=1`` writes these anew."""

import io
import os
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import imread

from treino.plots.style import png

FOLDER = Path(__file__).parent / "references"
SMALL = 30  # dots per inch: letters are grey there, so that another version's fonts change little
MOST = 0.03  # mean difference of a channel, from 0 to 1


def looks_like(figure: Figure, name: str, folder: Path = FOLDER) -> None:
    """Does the figure look like ``references/NAME.png``?"""
    content, path = png(figure, SMALL), folder / f"{name}.png"
    if os.environ.get("TREINO_REFERENCES"):
        path.write_bytes(content)
    ours, theirs = (imread(file)[..., :3].astype(float) for file in (io.BytesIO(content), path))
    assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
    assert np.abs(ours - theirs).mean() < MOST, np.abs(ours - theirs).mean()
