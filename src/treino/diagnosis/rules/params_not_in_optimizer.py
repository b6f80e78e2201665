"""Parameters that get gradients and belong to no optimizer."""

from collections.abc import Iterable

from treino.diagnosis.finding import Evidence, Site
from treino.diagnosis.rule import Rule
from treino.diagnosis.watch.seen import Seen, UnownedSeen
from treino.diagnosis.where.edit import first_call, left_out, only_caller, opened
from treino.diagnosis.where.kinds import WEIGHTED
from treino.diagnosis.where.source import Function, function, names, owner
from treino.diagnosis.where.updates import moved_list
from treino.words import N_, _


def decide(seen: Seen) -> Iterable[Evidence]:
    """Untouched random parameters in training mode, in graphs that led to steps of others.

    A readout that alone was given to the optimizer (random features) is meant so. Frozen, loaded, copied,
    averaged or hand-trained parameters, and nets in eval mode, are left alone. Where the whole graph
    belongs to no optimizer, the optimizer steps something else. Of a descent by hand, what it leaves out.
    """
    groups: dict[Site | None, list[UnownedSeen]] = {}
    for u in seen.unowned:
        optimizer = u.optimizer
        if optimizer is None or optimizer.steps < 3 or u.graphs < 2 or not u.training:
            continue
        if u.on_purpose:
            continue
        if not u.known and not (u.alone and optimizer.filled == 0):
            continue
        if u.alone and optimizer.filled:
            continue  # another network's loss: that optimizer trains on graphs of its own
        groups.setdefault(place(u), []).append(u)
    for edit, members in groups.items():
        optimizer = members[0].optimizer
        assert optimizer is not None
        numbers = {
            "parameters": len(members),
            "shape": "×".join(map(str, members[0].shape)) or "1",
            "optimizer": optimizer.kind,
            "steps": optimizer.steps,
        }
        yield Evidence(edit, optimizer.site, numbers)
    left = seen.manual.left_out
    if left:
        shape = "×".join(map(str, left[0].shape)) or "1"
        numbers = {"parameters": len(left), "shape": shape, "steps": left[0].updates}
        numbers["optimizer"] = _("A descent by hand")
        yield Evidence(moved_list(left[0].site), left[0].site, numbers)


def place(u: UnownedSeen) -> Site | None:
    """Where a parameter is made that no optimizer can know of; or where it is opened, or left out."""
    made = u.made_at if u.made_at is not None and (u.made_after or not u.registered) else None
    if made is not None and u.made_after and u.registered:
        made = _too_late(made)
    if made is not None and u.fresh_each_time and made.function != "forward":
        return first_call(made.file, *WEIGHTED, within="forward") or made  # which is gone by now
    site = u.optimizer.site if u.optimizer is not None else None
    return made or (opened(site) if u.opened else None) or left_out(site)


def _too_late(made: Site) -> Site:
    """Where the method that makes new layers, or their class, is called on one line only: too late for that
    optimizer.
    """
    kind = owner(made)
    if kind is not None and "optim" in names(kind):
        return made  # what owns the optimizer can give it the new layer
    known = isinstance(function(made), Function)
    return (only_caller(made) if known else None) or made


RULE = Rule(
    id="params_not_in_optimizer",
    group="gradients",
    severity="wrong",
    certain=True,
    watches=("unowned", "manual"),
    decide=decide,
    message=N_(
        "{parameters} parameter tensors (the first is {shape}) get gradients but are in no optimizer."
    ),
    why=N_(
        "{optimizer} took {steps} steps on the same loss, and these parameters kept their first random "
        "values. "
        "The rest of the network has to learn around a part that never learns."
    ),
    fix=N_(
        "Give their parameters to the optimizer (and make every layer before it), or freeze them on purpose."
    ),
    wrong="""\
body, head = nn.Linear(8, 16), nn.Linear(16, 3)
optimizer = torch.optim.SGD(body.parameters(), lr=0.1)
for step in range(10):
    loss = F.cross_entropy(head(torch.relu(body(x))), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    right="""\
body, head = nn.Linear(8, 16), nn.Linear(16, 3)
optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)
for step in range(10):
    loss = F.cross_entropy(head(torch.relu(body(x))), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
""",
    cost=N_("reads the graph at the first backwards of a line and at powers of two"),
)
