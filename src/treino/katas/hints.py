"""The hints of a kata, from a question to the line: of each fault the question, why it harms, what to do."""

from treino.katas.examination import examine_original
from treino.katas.kata import Kata
from treino.words import _

OF_EACH = 3  # hints about each fault


def number_of_hints(kata: Kata) -> int:
    """How many hints there are."""
    return OF_EACH * len(kata.rules)


def hints(kata: Kata, count: int) -> list[str]:
    """The first hints. From the second on the script is run as it was given: its findings tell more."""
    if count <= 1:
        return kata.questions[:count]
    found = {finding["rule"]: finding for finding in reversed(examine_original(kata).findings)}
    every = []
    for rule, question in zip(kata.rules, kata.questions, strict=True):
        finding = found[rule]
        every += [question, finding["why"], _("Line {line}, {rule}: {fix}").format(**finding)]
    return every[:count]
