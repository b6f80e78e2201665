"""``check``: the learner's function and the engine, trained on the same batches in float32 and in float64."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch

from treino.base.errors import Refusal
from treino.base.words import _
from treino_lessons.call_recording import Pass, passes
from treino_lessons.differences import Difference
from treino_lessons.first_difference import first_difference
from treino_lessons.problem import EPOCHS, STEPS, Answer, engine_s, problem

RUNS_NOTHING = Refusal(
    "The function has yield or async in it: calling it runs nothing of it.",
    "Let it go through the whole loader and then return the mean loss.",
    rule="not_a_function",
)
NOT_A_FUNCTION = Refusal("{what!r} is not a function.", "Give the function itself: check(forward).")
FORWARD_ARGUMENTS = Refusal("The function can't be called as {asked}: {error}.", "Write: def {asked}:")

NAMES = {torch.float32: "float32", torch.float64: "float64"}


@dataclass(frozen=True)
class Outcome:
    """The result. difference: the first one, None if the function passes. precision: the types it
    was tried in, largest: the largest difference of a weight from the engine's at the end, in each. notes:
    what is right and could be better. printed: what the function printed."""

    difference: Difference | None
    precision: tuple[str, ...]
    largest: dict[str, float]
    notes: tuple[str, ...]
    printed: str

    @property
    def passed(self) -> bool:
        return self.difference is None

    @property
    def document(self) -> dict[str, Any]:
        """The result as a JSON object."""
        different = self.difference
        return {
            "passed": self.passed,
            "steps": STEPS * EPOCHS,
            "precision": list(self.precision),
            "largest": dict(self.largest),
            "difference": None if different is None else vars(different).copy(),
            "notes": list(self.notes),
        }

    def __repr__(self) -> str:
        if self.difference is not None:
            return "\n".join([_("A difference:"), str(self.difference), *self.notes])
        lines = _(
            "Right: {steps} training steps and two tests as the engine's, in {types}; the largest difference "
            "of a weight is {largest:.1e}."
        ).format(
            steps=STEPS * EPOCHS,
            types=_(" and ").join(self.precision),
            largest=max(self.largest.values()),
        )
        after = _(
            "Now call it in your loop in place of train() and test(): forward(train_loader, net, epoch, "
            '"train"), then forward(test_loader, net, epoch, "test").'
        )
        return "\n".join([lines, *self.notes, after])


def check(forward: Callable[..., Any]) -> Outcome:
    """Run ``forward(loader, net, epoch, mode)`` beside the engine and name the first difference.

    ``forward`` gets ``"train"`` and ``"test"`` in turn for two epochs of three batches. The network ends in
    logits. Its global names ``criterion`` (CrossEntropyLoss), ``optimizer`` (SGD) and ``args`` (the course's
    dictionary, with ``device``) are ours while it runs, and are restored after. It reports the mean loss
    by returning it, alone or before other values, or by printing it with two decimals or more; the mean over
    batches and the mean over rows are both right.

    Raises:
        TreinoError: it is no function, or can't be called with four arguments.
    """
    _callable(forward)
    notes: list[str] = []
    largest: dict[str, float] = {}
    printed = ""
    difference = None
    for dtype, name in NAMES.items():
        tried = problem(dtype)
        answer = engine_s(tried)
        found = passes(forward, tried)
        printed = printed or "".join(p.printed for p in found)
        error = found[-1].error
        of_type = any(word in str(error) for word in ("dtype", "Double", "Float"))
        if dtype is torch.float64 and isinstance(error, RuntimeError) and of_type:
            notes.append(_("Note: it turns rows or losses into float32, so that it can't train in float64."))
            break
        difference = first_difference(found, tried, answer)
        if difference is not None:
            break
        largest[name] = _apart(found, answer)
        if dtype is torch.float32:
            notes += _notes(found)
    tried_in = tuple(largest) or (NAMES[torch.float32],)
    return Outcome(difference, tried_in, largest, tuple(notes), printed)


def _notes(found: list[Pass]) -> Iterator[str]:
    """Yield what is right and could be better."""
    if found[0].made:
        kind = found[0].made[0][1]
        yield _("Note: it makes {kind} in every call, and criterion is there.").format(kind=kind)
    if any(done.graphs[1] for done in found):
        yield _(
            "Note: it keeps each batch's loss with its graph, so that memory grows with every batch; keep "
            "loss.item() or loss.detach()."
        )
    if _computes_in_test(found):
        yield _(
            "Note: in test it computes gradients that nobody uses; leave backward() to training, and "
            "with torch.no_grad(): saves the time and the memory."
        )
    elif any(done.graphs[0] for done in found if done.mode == "test"):
        yield _(
            "Note: in test the network keeps what backward() would need. torch.no_grad() saves that time "
            "and memory. The course leaves it out here, and no figure changes."
        )


def _callable(forward: Any) -> None:
    asked = "forward(loader, net, epoch, mode)"
    if inspect.isgeneratorfunction(forward) or inspect.iscoroutinefunction(forward):
        raise RUNS_NOTHING()
    if not callable(forward) or inspect.isclass(forward):
        raise NOT_A_FUNCTION(what=type(forward).__name__)
    try:
        inspect.signature(forward).bind("loader", "net", 0, "train")
    except TypeError as error:
        raise FORWARD_ARGUMENTS(asked=asked, error=error) from None


def _computes_in_test(found: list[Pass]) -> bool:
    """Whether gradients changed during a test."""
    lefts = ([visit.left for visit in done.visits] for done in found if done.mode == "test")
    pairs = (pair for each in lefts for pair in pairwise(each))
    return any(set(a) != set(b) or any(not torch.equal(a[n], b[n]) for n in a) for a, b in pairs)


def _apart(found: list[Pass], answer: Answer) -> float:
    last = [done for done in found if done.mode == "train"][-1].after
    floats = [n for n, t in last.items() if t.is_floating_point()]
    return max(float((last[n] - answer.states[-1][n]).abs().max()) for n in floats)
