"""The same random numbers in every epoch."""

import ast
from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.reading.source import called, enclosing, function_of, statement_at, tree
from treino.diagnosis.reading.traced import Value, traced
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen
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
            place, seed = _seeding_line(s.site) if s.site is not None else (None, "")
            place = _untold(s.callers) or place
            yield Evidence(place, s.site, {"seed": seed, "times": s.same + 1})
            return


def _untold(sites: tuple[Site, ...]) -> Site | None:
    """The loop over epochs that never tells a sampler which one it is, where an order follows from that."""
    module = tree(sites[0].file) if sites else None
    if module is None or called(module, "set_epoch") or not (called(module, *TOLD) or _epochs_kept(sites[0])):
        return None
    for site in sites:
        loops = [n for n in enclosing(site) if isinstance(n, (ast.For, ast.While)) and n.lineno < site.line]
        if loops:
            return Site(site.file, loops[-1].lineno, site.function)
    return None


def _seeded_by_torch(site: Site) -> bool:
    """Whether the function that draws asks torch for its seed: a loader's workers have others each time."""
    around = function_of(site)
    calls = called(around, *SEEDERS) if around is not None else []
    return any(called(c, "initial_seed", "get_worker_info") for c in calls)


def _epochs_kept(site: Site) -> bool:
    """Whether the function that draws seeds its generator by an epoch that its object is to be told."""
    around = function_of(site)
    calls = called(around, *SEEDERS) if around is not None else []
    return any("epoch" in n.lower() for c in calls for a in c.args for n in _attributes(a))


def _attributes(node: ast.AST) -> set[str]:
    return {n.attr for n in ast.walk(node) if isinstance(n, ast.Attribute)}


def _once(call: ast.Call, site: Site) -> bool:
    """Whether a seed is set in the function that draws, before the loop in which it draws again and again."""
    around = (n for n in enclosing(site) if isinstance(n, (ast.For, ast.While)))
    loops = [n for n in around if n.lineno < site.line]  # no head of a loop that draws
    place = Site(site.file, call.lineno)
    outside = bool(loops) and loops[0] not in enclosing(place) and call.lineno < loops[0].lineno
    return outside and function_of(place) is function_of(site)


def _seeds_anew(call: ast.Call, site: Site) -> bool:
    """``g.manual_seed(7)`` of a generator that there is already, in a function that is handed it."""
    of = call.func.value if isinstance(call.func, ast.Attribute) else None
    around = function_of(Site(site.file, call.lineno))
    given = {a.arg for a in around.args.args} if isinstance(around, ast.FunctionDef) else set()
    return isinstance(of, ast.Name) and of.id in given


def _seeding_line(site: Site) -> tuple[Site, str]:
    """The nearest line that seeds a generator: in the function that draws, or around it, or anywhere."""
    statement = statement_at(site)
    seeded = [n for n in ast.walk(statement) if isinstance(n, ast.keyword)] if statement is not None else []
    own = next((k.value for k in seeded if k.arg == "random_state"), None)
    if own is not None:
        return Site(site.file, own.lineno), ast.unparse(own)
    again = [c for c in called(tree(site.file) or ast.Module([], []), "manual_seed") if _seeds_anew(c, site)]
    if len(again) == 1:
        return Site(site.file, again[0].lineno), ""
    drawn = next((k.value for k in seeded if k.arg == "generator"), None)
    for v in traced(Value(site, drawn)) if drawn is not None else ():
        if isinstance(v.node, ast.Call) and called(v.node, *SEEDERS) and not _once(v.node, site):
            return Site(v.site.file, v.node.lineno), ""
    for where in (function_of(site), tree(site.file)):
        calls = called(where, *SEEDERS) if where is not None else []
        calls = [c for c in calls if not _once(c, site)] or ([] if where is not tree(site.file) else calls)
        if calls:
            call = min(calls, key=lambda c: (abs(c.lineno - site.line), -len(c.args)))
            given = [
                a.value
                for c in calls
                if c.lineno == call.lineno
                for a in c.args
                if isinstance(a, ast.Constant)
            ]
            return Site(site.file, call.lineno), str(given[0]) if given else ""
    return site, ""


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
