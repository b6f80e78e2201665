"""Where networks of a sweep diverge: the setting with the side, or the value, that separates them best."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from treino.words import _, numeral

FEWEST = 3  # diverged networks, and others, for a sentence
SHARE = 0.8  # of the diverged on one side, and of the others on the other

Side = tuple[int, int, str]  # diverged and other networks on it, and its words


def where_diverged(networks: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str | None:
    """A sentence on the setting that most of the diverged networks share and most others don't.

    networks: {"status", "settings"} each; waiting ones are ignored. None: too few, or no such setting.
    """
    lost = [n["settings"] for n in networks if n["status"] == "diverged"]
    others = [n["settings"] for n in networks if n["status"] not in ("diverged", "waiting")]
    if len(lost) < FEWEST or len(others) < FEWEST:
        return None
    fine = [
        side
        for name in names
        for side in _sides(name, *([s[name] for s in of if s.get(name) is not None] for of in (lost, others)))
        if side[0] >= SHARE * len(lost) and len(others) - side[1] >= SHARE * len(others)
    ]
    if not fine:
        return None
    hits, wrong, what = max(fine, key=lambda side: side[0] / len(lost) - side[1] / len(others))
    return _("{hits} of the {lost} that diverged have {what}; {wrong} of the {others} others do.").format(
        hits=hits, lost=len(lost), what=what, wrong=wrong, others=len(others)
    )


def _sides(name: str, lost: Sequence[Any], others: Sequence[Any]) -> Iterator[Side]:
    """Both sides of each number that a diverged network has; each value, for a setting that is no number."""
    if any(type(v) not in (int, float) for v in (*lost, *others)):
        counted = Counter(map(str, others))
        for value, hits in Counter(map(str, lost)).items():
            yield hits, counted[value], f"{name} {value}"
        return
    lost, others = sorted(lost), sorted(others)
    for value in sorted(set(lost)):
        words = {"name": name, "value": numeral(value)}
        low, high = (bisect_left(of, value) for of in (lost, others))
        yield len(lost) - low, len(others) - high, _("{name} from {value} up").format(**words)
        low, high = (bisect_right(of, value) for of in (lost, others))
        yield low, high, _("{name} up to {value}").format(**words)
