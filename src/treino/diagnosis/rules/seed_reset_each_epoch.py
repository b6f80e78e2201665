"""The same random numbers in every epoch."""

import ast
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen
from treino.diagnosis.where.flow import Step, origins
from treino.diagnosis.where.source import calls, function, loops, module, written_on
from treino.diagnosis.where.source import place as line_of
from treino.words import N_

SEEDERS = ("manual_seed", "default_rng", "RandomState", "Random", "Generator")
TOLD = ("DistributedSampler",)  # a sampler that draws the same order until it is told of another epoch


def decide(seen: Seen) -> Iterable[Evidence]:
    """The same line set the same seed again and again while one optimizer went on stepping; or it drew the
    same order for training again and again.
    """
    for s in seen.seeds.values():
        if s.same >= 2:
            yield Evidence(s.site, s.site, {"seed": s.seed, "times": s.calls})
            return
    for s in seen.orders.values():
        if s.same >= 2 and not (s.site is not None and _seeded_by_torch(s.site)):
            edit, seed = place(s.site, s.callers)
            yield Evidence(edit, s.site, {"seed": seed, "times": s.same + 1})
            return


def place(site: Site | None, callers: tuple[Site, ...]) -> tuple[Site | None, str]:
    """The loop over epochs that never tells a sampler which one it is; or the nearest line that seeds a
    generator, with its seed.
    """
    if site is None:
        return None, ""
    every = module(site.file)
    untold = calls(every, *TOLD) and not calls(every, "set_epoch")
    heads = [Site(s.file, loops(s)[-1].lineno, s.function) for s in callers if loops(s)]
    if untold and heads:
        return heads[0], ""
    for node in (n for said in written_on(site) for n in ast.walk(said) if isinstance(n, ast.keyword)):
        if node.arg == "random_state":
            return line_of(site.file, node.value), ast.unparse(node.value)
    seeders = [c for step in _drawn_with(site) for c in calls(step.node, *SEEDERS) if not _once(c, site)]
    inside = [c for c in calls(function(site), *SEEDERS) if not _once(c, site)] if not seeders else []
    found = seeders or inside or calls(every, *SEEDERS)
    if not found:
        return site, ""
    call = found[0] if seeders else min(found, key=lambda c: (abs(c.lineno - site.line), -len(c.args)))
    given = [a.value for a in call.args if isinstance(a, ast.Constant)]
    return line_of(site.file, call), str(given[0]) if given else ""


def _drawn_with(site: Site) -> list[Step]:
    """What the generator was made of that a line draws with, or whose method it calls."""
    nodes = [k.value for c in calls(written_on(site)) for k in c.keywords if k.arg == "generator"]
    return [s for node in nodes for s in origins(site, node)]


def _seeded_by_torch(site: Site) -> bool:
    """Whether the function that draws asks torch for its seed: a loader's workers have others each time."""
    asked = calls(function(site), *SEEDERS)
    return any(calls(c, "initial_seed", "get_worker_info") for c in asked)


def _once(call: ast.Call, site: Site) -> bool:
    """Whether a seed is set in the function that draws, before the loop in which it draws again and again."""
    outer = [n for n in loops(site) if n.lineno < site.line]  # no head of a loop that draws
    at = line_of(site.file, call)
    return bool(outer) and call.lineno < outer[0].lineno and function(at) is function(site)


RULE = Rule(
    id="seed_reset_each_epoch",
    group="settings",
    severity="wrong",
    certain=True,
    watches=("seeds", "orders"),
    decide=decide,
    message=N_("The same seed {seed} was set, or the same order drawn, {times} times within one training."),
    why=N_(
        "Every epoch draws the same order, the same dropout masks and the same augmentation. The net "
        "never sees anything new, which is what they are there for."
    ),
    fix=N_("Set the seed once, before training; tell a distributed sampler every epoch (set_epoch)."),
    wrong="""\
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    torch.manual_seed(0)
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    right="""\
torch.manual_seed(0)
net = nn.Linear(8, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(10):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
""",
    cost=N_("counts calls of the seeding functions and compares the orders that are drawn"),
)
