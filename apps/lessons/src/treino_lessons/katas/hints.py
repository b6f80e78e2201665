"""Gives the hints of a kata: for each fault a question, then why it harms, then the line and what to do."""

from treino.base.words import _
from treino_lessons.katas.examination import examine_original
from treino_lessons.katas.kata import Kata

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
        if (finding := found.get(rule)) is None:  # the machine was too slow, or torch is another one
            command = f"treino doctor --explain {rule}"
            every += [question, *[_("Read about it: {command}").format(command=command)] * (OF_EACH - 1)]
            continue
        in_task = finding["line"] < kata.first_line  # which stays as it is
        what = _("{rule}: {fix}") if in_task else _("Line {line}, {rule}: {fix}")
        every += [question, finding["why"], what.format(**finding)]
    return every[:count]
