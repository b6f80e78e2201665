"""Names of the columns that predictions add to a table, each unlike all others beside it."""

from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence


def column_names(
    wanted: Sequence[Sequence[str]], taken: Iterable[str] = (), alike: Callable[[str], str] = str
) -> list[str]:
    """A name for each added column: its parts joined by ``_``, as in ``probability_price_high``.

    Names that would be equal (target ``a`` with class ``b_c``, and ``a_b`` with ``c``) have colons between
    their parts instead. wanted: the parts of each: what it holds, the target, the class. taken: the names of
    the table's own columns. alike: turns equal names, by the rules of the table's format, into equal strings.
    """
    plain = ["_".join(parts) for parts in wanted]
    count = Counter(plain)
    known = set(map(alike, taken))
    names = []
    for parts, name in zip(wanted, plain, strict=True):
        names.append(free_name(name if count[name] == 1 else ": ".join(parts), known, alike))
        known.add(alike(names[-1]))
    return names


def free_name(name: str, taken: Container[str], alike: Callable[[str], str] = str) -> str:
    """The name; with ``(treino)``, ``(treino 2)`` … after it if it is among those that are taken. taken: as
    ``alike`` writes them."""
    number, free = 1, name
    while alike(free) in taken:
        free = f"{name} (treino)" if number == 1 else f"{name} (treino {number})"
        number += 1
    return free
