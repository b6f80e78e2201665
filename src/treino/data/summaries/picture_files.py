"""Describe picture files: their formats, which can't be read, which are left out."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from treino.base.words import N_, _, numeral, setting
from treino.data.photographs.decoding import PictureForm
from treino.data.summaries.image_comparison import ImageComparison
from treino.data.table import DataWarning

_SHOWN = 5  # most sizes and formats in a line
_MODES = {
    "1": N_("black and white"),
    "L": N_("grey"),
    "P": N_("palette"),
    "PA": N_("palette with alpha"),
    **dict.fromkeys(("LA", "La"), N_("grey with alpha")),
    **dict.fromkeys(("RGB", "RGBX"), N_("colour")),
    **dict.fromkeys(("RGBA", "RGBa"), N_("colour with alpha")),
}


@dataclass(frozen=True, eq=False)
class PictureFiles:
    """The files of photographs, each at its row number.

    forms: each file's form; None if that can't be read. faults: why each can't be decoded; "" if it can.
    skipped: names of files that aren't pictures, with the reason. comparison: that of their decoded pixels.
    absent: names that have a label but no file, with the reason.
    """

    names: tuple[str, ...]
    forms: tuple[PictureForm | None, ...]
    faults: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    comparison: ImageComparison
    absent: tuple[tuple[str, str], ...] = ()

    @cached_property
    def _readable(self) -> tuple[PictureForm, ...]:
        forms = zip(self.forms, self.faults, strict=True)
        return tuple(form for form, fault in forms if form is not None and not fault)

    @property
    def unreadable(self) -> tuple[tuple[str, str], ...]:
        """The name of each file that can't be decoded or is missing, and why."""
        faults = tuple((n, why) for n, why in zip(self.names, self.faults, strict=True) if why)
        return faults + self.absent

    @property
    def grey_in_colour(self) -> tuple[str, ...]:
        """The names of pictures saved in colour whose pixels are grey; not blank ones."""
        grey_N = self.comparison.grey_N & ~self.comparison.blank_N
        listed = zip(self.names, self.forms, grey_N, strict=True)
        return tuple(name for name, form, grey in listed if grey and form is not None and not form.grey)

    @property
    def moving(self) -> tuple[str, ...]:
        """The names of pictures of several frames."""
        named = zip(self.names, self.forms, strict=True)
        return tuple(name for name, form in named if form is not None and form.frames > 1)

    @cached_property
    def sizes(self) -> dict[tuple[int, int], int]:
        """The number of pictures of each (width, height), the most frequent size first."""
        return dict(Counter((form.width, form.height) for form in self._readable).most_common())

    def counted(self, fact: str) -> dict[str, int]:
        """The number of pictures of each ``format``, or of each Pillow ``mode``."""
        return dict(Counter(getattr(form, fact) for form in self._readable).most_common())

    @property
    def turned(self) -> int:
        """The number of pictures that are rotated or mirrored by their EXIF orientation."""
        return sum(form.turned for form in self._readable)

    def smallest_median_largest(self) -> tuple[tuple[int, int], ...]:
        """Three sizes, by their number of pixels."""
        sizes = sorted(((form.width, form.height) for form in self._readable), key=lambda s: (s[0] * s[1], s))
        return sizes[0], sizes[(len(sizes) - 1) // 2], sizes[-1]

    def facts(self) -> Iterator[tuple[str, str]]:
        """The lines of the description as (label, value)."""
        formats = ", ".join(f"{name} {numeral(n, ',')}" for name, n in self.counted("format").items())
        yield _("picture files"), f"{numeral(len(self._readable), ',')} ({formats})"
        yield _("their sizes"), self._sizes()
        modes = Counter[str]()
        for mode, n in self.counted("mode").items():
            wide = _("grey of 16 bits") if mode.startswith("I") else mode
            modes[_(_MODES[mode]) if mode in _MODES else wide] += n
        yield _("their colours"), ", ".join(f"{name} {numeral(n, ',')}" for name, n in modes.most_common())
        counted = (
            (_("saved in colour, but grey"), len(self.grey_in_colour)),
            (_("turned as their EXIF orientation says"), self.turned),
            (_("of several frames, the first is taken"), len(self.moving)),
            (_("can't be read"), len(self.unreadable)),
            (_("other files, left out"), len(self.skipped)),
        )
        yield from ((label, numeral(n, ",")) for label, n in counted if n)

    def _sizes(self) -> str:
        if len(self.sizes) == 1:
            return _("{size} pixels, all").format(size=_size(*next(iter(self.sizes))))
        low, middle, high = (_size(*size) for size in self.smallest_median_largest())
        often = [f"{_size(*size)} ({numeral(n, ',')})" for size, n in self.sizes.items()][:_SHOWN]
        often += ["…"] if len(self.sizes) > _SHOWN else []
        text = _("{low} to {high} pixels, the median {middle}; {n:,} different: {often}")
        return text.format(low=low, high=high, middle=middle, n=len(self.sizes), often=", ".join(often))

    def warnings(self) -> Iterator[DataWarning]:
        if bad := self.unreadable:
            yield DataWarning(
                "pictures_bad",
                _("Pictures that can't be read: {n:,}, the first {name}: {reason}.").format(
                    n=len(bad), name=bad[0][0], reason=bad[0][1]
                ),
                _("Mend or remove them; training goes on without them only if it is told to: {skip}.").format(
                    skip=setting("skip_bad", len(bad))
                ),
                row=bad[0][0],
            )
        if (grey := self.grey_in_colour) and not all(form.grey for form in self._readable):
            every = len(grey) == sum(not form.grey for form in self._readable)
            yield DataWarning(
                "pictures_grey",
                _("Pictures saved in colour that are grey: {n:,}, the first {name}.").format(
                    n=len(grey), name=grey[0]
                ),
                _("All are: saved in grey, they take a third of the memory and of the first layer.")
                if every
                else _(
                    "A network can tell them from the others by that alone: see that it gives no class away."
                ),
                row=grey[0],
            )

    def named(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield (heading, lines) of the files that are to be named."""
        yield _("Can't be read"), tuple(f"{name}: {why}" for name, why in self.unreadable)
        yield _("Other files, left out"), tuple(f"{name} ({why})" for name, why in self.skipped)
        yield _("Of several frames"), self.moving
        grey = self.grey_in_colour
        yield _("Saved in colour, but grey"), grey if len(grey) < len(self._readable) else ()

    def to_json(self) -> dict[str, Any]:
        """The entries on files in the JSON description of images."""
        three = zip(("smallest", "median", "largest"), self.smallest_median_largest(), strict=True)
        return {
            "files": len(self.names),
            "formats": self.counted("format"),
            "modes": self.counted("mode"),
            "sizes": [[*size, n] for size, n in self.sizes.items()],
            **{name: list(size) for name, size in three},
            "exif_turned": self.turned,
            "several_frames": list(self.moving),
            "grey_in_colour": list(self.grey_in_colour),
            "unreadable": dict(self.unreadable),
            "left_out": dict(self.skipped),
        }


def _size(width: int, height: int) -> str:
    return f"{numeral(width, ',')} × {numeral(height, ',')}"
