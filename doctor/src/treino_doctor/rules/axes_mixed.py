"""A view or reshape that gives axes each other's place, as only a permute can."""

from treino_doctor.record.outcomes import Reshaped
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, by_line, script


def decide(log: Log) -> Faults:
    """What a net is called with, or computes, was viewed with axes in another order."""
    for site, events in by_line(log.of(Reshaped), lambda r: r.site).items():
        numbers = {"before": str(list(events[0].before)), "after": str(list(events[0].after))}
        yield Evidence(site, numbers | {"how": events[0].how}, stack=events[0].stack)


WRONG, RIGHT = "x = x.view(240, 4, 2, 3)", "x = x.permute(0, 3, 1, 2)"

RULE = Rule(
    group="data",
    certain=False,
    message="{how} makes {after} of {before}: axes in another order, the numbers left in place.",
    why="""view and reshape never move a number: they cut the same sequence into other pieces. So channels,
    places or steps are mixed, and what was side by side no longer is.""",
    fix="Use permute or transpose to give axes another order, e.g. images.permute(0, 3, 1, 2).",
    safety="The network then gets the rows as they are meant, and has to be trained anew.",
    limits="""Seen where torch does it, with three axes or more that are longer than 1, in what nets are given
    or compute; not where NumPy does.""",
    wrong=f"x = x.repeat(1, 3).unflatten(1, (2, 3, 4))\n{WRONG}\n"
    + script("nn.Sequential(nn.Conv2d(4, 4, 2), nn.Flatten(), nn.Linear(8, 3))"),
    mend={WRONG: RIGHT},
)
