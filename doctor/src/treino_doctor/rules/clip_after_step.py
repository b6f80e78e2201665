"""Gradients that are clipped after the step that used them."""

from treino_doctor.record.outcomes import Clip
from treino_doctor.rules.rule import STEP, Evidence, Faults, Log, Rule, by_line, script

LEAST = 3  # minimum number of calls of a clip


def decide(log: Log) -> Faults:
    """A line clipped gradients again and again that a step had used, and never others."""
    for clips in by_line(log.of(Clip), lambda c: c.site).values():
        if len(clips) >= LEAST and all(c.spent for c in clips):
            numbers = {"calls": len(clips), "limit": clips[-1].limit}
            yield Evidence(clips[0].site, numbers, stack=clips[-1].stack)


CLIP = "    nn.utils.clip_grad_norm_(net.parameters(), 1.0)\n"

RULE = Rule(
    group="gradients",
    message="Gradients are clipped to {limit} after the step that used them ({calls} {calls:call|calls}).",
    why="""The step has already gone the whole way by then. What is clipped is never used again, so that
    nothing limits the steps.""",
    fix="Clip between backward() and step().",
    safety="The steps become smaller where a gradient was larger than the limit.",
    limits="Looks at torch's two functions that clip, where they never come before a step.",
    wrong=script().replace(STEP, STEP + CLIP),
    mend={STEP + CLIP: CLIP + STEP},
)
