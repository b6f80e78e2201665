"""The contact sheet: the first images of each class, under its name."""

import math

from treino.data.summaries.image_description import ImagesDescription, strip
from treino.plots.style import SOFT, WIDTH, class_labels, header, header_inches, label, look, new_figure, png
from treino.words import _, numeral

ACROSS = 2  # classes
MARGIN, WORDS, TALLEST = 0.2, 0.3, 1.0  # inches: around a class, above it, and its images at most


def contact_sheet(name: str, images: ImagesDescription) -> bytes:
    """The examples of a description as a PNG. name: of the data."""
    shown = images.examples
    n = max((len(one.pixels) for one in shown), default=0)
    sentence = _("The first {n} images in the data's order.").format(n=n)
    if images.classes:
        sentence = _(
            "The first {n} images of each class in the data's order, and how many there are."
        ).format(n=n)
        if "train" in images.rows:
            sentence = _(
                "The first {n} training images of each class in the data's order, and how many there are."
            ).format(n=n)
    sentences = [sentence]
    if len(images.classes) > len(shown):
        sentences.append(
            _("{n:,} of {total:,} classes are shown.").format(n=len(shown), total=len(images.classes))
        )
    strips = [strip(one.pixels) for one in shown]
    wide = (WIDTH - (ACROSS + 1) * MARGIN) / ACROSS
    longest = max((len(one.pixels) * one.pixels.shape[2] for one in shown), default=1)
    inch = min(wide / (longest * 1.06), TALLEST / max((s.shape[0] for s in strips), default=1))  # of a pixel
    tall = max((s.shape[0] for s in strips), default=0) * inch
    down = math.ceil(len(shown) / ACROSS)
    with look():
        figure = new_figure(header_inches(sentences) + down * (WORDS + tall) + MARGIN)
        height = figure.get_figheight()
        top = header(figure, _("Images: {name}").format(name=label(name, 40)), sentences) * height
        names = class_labels([one.label for one in shown], 32) if images.classes else [""]
        for at, (one, pixels) in enumerate(zip(shown, strips, strict=True)):
            row, column = divmod(at, ACROSS)
            x = MARGIN + column * (wide + MARGIN)
            y = top - row * (WORDS + tall)
            figure.text(x / WIDTH, (y - 0.2) / height, names[at], fontsize=10, weight="bold", va="baseline")
            figure.text(
                (x + wide) / WIDTH,
                (y - 0.2) / height,
                numeral(one.rows, ","),
                fontsize=9,
                color=SOFT,
                va="baseline",
                ha="right",
            )
            size = (pixels.shape[1] * inch / WIDTH, pixels.shape[0] * inch / height)
            axes = figure.add_axes((x / WIDTH, (y - WORDS) / height - size[1], *size))
            axes.imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="nearest", aspect="auto")
            axes.set_axis_off()
    return png(figure)
