"""A loaded state that has none of a net's entries."""

from treino_doctor.record.outcomes import PartLoaded
from treino_doctor.rules.rule import Evidence, Faults, Log, Rule, script


def decide(log: Log) -> Faults:
    """The newest state that a module was given has none of its entries, and strict=False hid it."""
    newest = {loaded.module: loaded for loaded in log.of(PartLoaded)}
    for loaded in newest.values():
        if not loaded.found:
            numbers = {name: getattr(loaded, name) for name in ("given", "own", "given_name", "own_name")}
            yield Evidence(loaded.site, numbers, stack=loaded.stack)


RULE = Rule(
    group="settings",
    message="""Not one of {given} {given:entry|entries} that {given:was|were} loaded has the name of one of
    the net's {own}.""",
    why="""With strict=False load_state_dict leaves out every name that the net does not have, in silence:
    here '{given_name}' and the like, where the net has '{own_name}'. The net goes on with the weights that it
    had.""",
    fix="""Give the entries the net's own names, as by leaving a prefix out, and look at the missing_keys that
    load_state_dict returns.""",
    safety="Safe: the weights are then those that were saved.",
    limits="""Where some names fit, as in transfer learning, the rest is meant and not told, nor is a net that
    finds its entries in a later state.""",
    wrong="""\
net = nn.Linear(8, 3)
saved = {"module." + name: value.clone() for name, value in net.state_dict().items()}
net.load_state_dict(saved, strict=False)
"""
    + script().partition("\n")[2],
    mend={'"module." + name': "name"},
)
