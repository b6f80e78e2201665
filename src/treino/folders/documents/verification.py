"""The document of a verification: a run was trained again, and its numbers were compared.

It may lie in the run's exports/, which no digest covers: whoever can write the folder can write it. It is
about one manifest only, whose hash it names.
"""

from typing import Annotated, Literal

from pydantic import Field

from treino.base.document_fields import (
    Command,
    Count,
    Device,
    Document,
    Figure,
    Many,
    Sha256,
    Text,
    Threads,
    Word,
)

NAME = "exports/verification.json"

Verdict = Literal["equal", "close", "different", "unverifiable"]
Compared = Literal["settings", "losses", "validation", "states", "weights", "figures"]
Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$")]


class TallyEntry(Document):
    """How many numbers of one kind are equal. largest: the largest relative distance; None: not finite."""

    compared: Count
    equal: Count
    largest: Figure


class DifferenceEntry(Document):
    """The first difference of two trainings. step: updates done. name: tensor or figure; "" for a loss.
    recorded, found: the first numbers that differ; None: not finite, or absent. numbers: how many of ``of``
    numbers differ. relative: the norm of the difference / that of the recorded numbers."""

    step: Count
    kind: Compared
    name: Text
    recorded: Figure
    found: Figure
    numbers: Count
    of: Count
    relative: Figure


class StepsEntry(Document):
    """How many steps the run recorded, and how many of them were trained again."""

    recorded: Count
    trained: Count


class DataEntry(Document):
    """The rows. sha256: of the file, of a Dataset's targets, or of the copy in the run's folder."""

    kind: Text
    name: Text
    sha256: Sha256 | None


class ConditionsEntry(Document):
    """The software and the machine of a training. machine: empty if it was not recorded. date: in UTC."""

    versions: dict[Text, Text]
    machine: dict[Text, Text]
    engine: Word
    threads: Threads
    device: Device
    date: Time


class VerificationDocument(Document):
    """``verification.json``.

    status: the run's. reason: why nobody can verify it; None if it can be. explanations: what may explain a
    difference. not_compared: what predictions depend on and was not made again. manifest_sha256: the
    manifest's own hash: the document is about exactly these files. command: repeats the verification.
    """

    run: Text
    verdict: Verdict
    reason: Text | None
    status: Text
    steps: StepsEntry
    compared: dict[Compared, TallyEntry]
    first_difference: DifferenceEntry | None
    explanations: Many[Text]
    not_compared: Many[Text] = ()
    manifest_sha256: Sha256
    spec_sha256: Sha256
    data: DataEntry
    then: ConditionsEntry
    now: ConditionsEntry | None
    command: Command

    def agreeing(self) -> dict[str, bool]:
        unknown, equal = self.verdict == "unverifiable", self.verdict == "equal"
        tallies = self.compared.values()
        return {
            "reason": (self.reason is not None) == unknown,
            "now": (self.now is None) == unknown,
            "first_difference": (self.first_difference is None) == (equal or unknown),
            "compared": not equal or (bool(tallies) and all(t.equal == t.compared for t in tallies)),
        }
