"""Who owns what learns: parameters outside every optimizer, and values that were taken out of the graph."""

import weakref
from typing import Any

import torch
from torch import nn

from treino.diagnosis.finding import Site
from treino.diagnosis.watch import graph
from treino.diagnosis.watch.backward import Backward
from treino.diagnosis.watch.gradients import Gradients
from treino.diagnosis.watch.nets import Nets
from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.seen import CutSeen, OptimizerSeen, Seen, UnownedSeen
from treino.diagnosis.watch.where import here

CUTS = ("detach", "numpy", "tolist")
SAMPLE = 64


class Unowned:
    """A parameter without an optimizer, as first seen in a training graph."""

    __slots__ = ("alone", "first", "graphs", "optimizer", "order", "ref", "steps", "training")

    def __init__(self, p: torch.Tensor) -> None:
        self.ref = weakref.ref(p)
        self.first = p.detach().flatten()[:SAMPLE].clone()
        self.graphs = 0
        self.steps = 0
        self.alone = True
        self.training = True
        self.optimizer: OptimizerSeen | None = None


class Cut:
    """One line that leaves the graph, and the parameters behind it."""

    def __init__(self, site: Site | None, how: str) -> None:
        self.site, self.how = site, how
        self.calls = 0
        self.behind: dict[int, weakref.ref[torch.Tensor]] = {}


class Ownership:
    """Listens to the graphs that Backward reads and to the functions that leave a graph."""

    def __init__(
        self, seen: Seen, patches: Patches, gradients: Gradients, backward: Backward, nets: Nets
    ) -> None:
        self.seen, self.patches, self.gradients, self.nets = seen, patches, gradients, nets
        self._unowned: dict[int, Unowned] = {}
        self._cuts: dict[tuple[Site | None, str], Cut] = {}
        self._fresh: dict[Site | None, tuple[int, set[tuple[int, ...]]]] = {}
        self._made_order: weakref.WeakKeyDictionary[nn.Module, int] = weakref.WeakKeyDictionary()
        self._order = 0
        self._pending: list[Unowned] = []
        self._first_values: dict[int, torch.Tensor] = {}
        self._judged: dict[int, UnownedSeen] = {}
        self._missing: dict[int, OptimizerSeen] = {}
        self.unexplained: dict[int, OptimizerSeen] = {}
        backward.graph_listeners.append(self._graph)

    def install(self) -> None:
        for name in CUTS:
            self.patches.before(torch.Tensor, name, self._cutter(name))
        self.patches.before(torch, "tensor", self._cutter("torch.tensor"))
        self.patches.before(nn.Module, "__init__", self._module_made)

    def _module_made(self, args: Any, kwargs: Any) -> None:
        self._order += 1
        self._made_order[args[0]] = self._order

    # --- leaving the graph ----------------------------------------------------------------------------------
    def _cutter(self, how: str) -> Any:
        def observe(args: Any, kwargs: Any) -> None:
            t = args[0] if args else None
            if not isinstance(t, torch.Tensor) or t.grad_fn is None or t.numel() < 2:
                return
            if how == "detach":
                self.nets.let_go(t)
            site = here()
            if site is None:
                return
            cut = self._cuts.get((site, how))
            if cut is None:
                cut = self._cuts[site, how] = Cut(site, how)
            cut.calls += 1
            if cut.calls <= 3:
                for p in graph.leaves(graph.walk(t.grad_fn, 600)):
                    cut.behind[id(p)] = weakref.ref(p)

        return observe

    # --- graphs ---------------------------------------------------------------------------------------------
    def _graph(self, site: Site | None, nodes: list[Any], leaves: list[torch.Tensor]) -> None:
        owner = self.gradients.owner
        owned = next((o for p in leaves if (o := owner(p)) is not None), None)
        strange = [p for p in leaves if isinstance(p, nn.Parameter) and owner(p) is None]
        for p in strange:
            u = self._unowned.get(id(p))
            if u is None or u.ref() is not p:
                u = self._unowned[id(p)] = Unowned(p)
                calls, shapes = self._fresh.get(site, (0, set()))
                self._fresh[site] = (calls + 1, shapes | {tuple(p.shape)})
            u.graphs += 1
            u.optimizer = owned or u.optimizer
            u.alone = u.alone and owned is None
            self._pending.append(u)

    def after_step(self, facts: OptimizerSeen) -> None:
        """A step followed: the graphs that were read since the last one were for training."""
        for u in self._pending:
            u.steps += 1
            if u.optimizer is None:
                u.optimizer = facts
        self._pending.clear()
        if facts.steps == 1 and facts.without_gradient:
            for f in self.gradients.followed[id(facts)]:
                p = f.ref()
                if p is not None and id(p) in facts.without_gradient:
                    self._first_values[id(p)] = p.detach().flatten()[:SAMPLE].clone()
        if facts.steps % 64 == 0 or (facts.steps >= 4 and facts.steps & (facts.steps - 1) == 0):
            self.review()

    def order(self) -> int:
        """A number that grows as modules are made."""
        return self._order

    # --- the end --------------------------------------------------------------------------------------------
    def review(self) -> None:
        """Judge what is alive now; what has died keeps its last judgement."""
        if self._unowned:
            self._review_unowned()
        self._review_missing()

    def _review_unowned(self) -> None:
        homes: dict[int, tuple[nn.Module, str]] | None = None
        for key, u in self._unowned.items():
            p = u.ref()
            if p is None or u.steps < 2:
                continue
            moved = not torch.equal(p.detach().flatten()[:SAMPLE], u.first)
            if moved or self.gradients.owner(p) is not None:  # trained by hand, an average, a copy, or later
                self._judged.pop(key, None)
                continue
            if homes is None:
                homes = self._homes()
            module, name = homes.get(key, (None, ""))
            made_order = self._made_order.get(module, 0) if module is not None else 0
            self._judged[key] = UnownedSeen(
                name=name,
                shape=tuple(p.shape),
                graphs=u.graphs,
                made_at=self.nets.made.get(module) if module is not None else None,
                made_after=u.optimizer is not None and 0 < u.optimizer.order < made_order,
                registered=self._registered(p),
                training=module.training if module is not None else False,
                known=module is not None and module not in self.nets.loaded,
                alone=u.alone,
                optimizer=u.optimizer,
            )

    def finish(self) -> None:
        """Name the parameters that nobody trains, and the lines that kept gradients from others."""
        self.review()
        self.seen.unowned.extend(self._judged.values())
        self._finish_fresh()
        explained: set[int] = set()
        for cut in self._cuts.values():
            behind = [k for k in cut.behind if k in self._missing]
            if behind:
                explained.update(behind)
                optimizer = self._missing[behind[0]]
                self.seen.cuts.append(CutSeen(cut.site, cut.how, cut.calls, len(behind), optimizer))
        self.unexplained = {k: o for k, o in self._missing.items() if k not in explained}

    def _homes(self) -> dict[int, tuple[nn.Module, str]]:
        return {
            id(p): (m, n) for m in list(self.nets.made) for n, p in m._parameters.items() if p is not None
        }

    def _registered(self, p: torch.Tensor) -> bool:
        return any(p is q for module in list(self.nets.nets) for q in module.parameters())

    def _finish_fresh(self) -> None:
        """New parameters in every graph of a line: layers that are made in forward."""
        for site, (count, shapes) in self._fresh.items():
            facts = self.seen.backwards.get(site)
            alive = sum(u.ref() is not None for u in self._unowned.values())
            if facts is None or count < 4 * len(shapes) or alive >= count:
                continue
            module = next((m for m in reversed(list(self.nets.made)) if m._parameters), None)
            self.seen.unowned.append(
                UnownedSeen(
                    name=type(module).__name__ if module is not None else "",
                    shape=next(iter(shapes)),
                    graphs=count,
                    made_at=self.nets.made.get(module) if module is not None else None,
                    made_after=True,
                    registered=False,
                    training=True,
                    known=True,
                    alone=False,
                    optimizer=next((o for o in self.seen.optimizers if o.steps), None),
                    fresh_each_time=True,
                )
            )

    def _review_missing(self) -> None:
        """Parameters in an optimizer that no backward has reached and that have not moved."""
        missing: dict[int, OptimizerSeen] = {}
        for facts in self.seen.optimizers:
            if facts.steps < 3 or not facts.without_gradient:
                continue
            for f in self.gradients.followed[id(facts)]:
                p = f.ref()
                if p is None:
                    if f.key in facts.without_gradient and f.key in self._missing:
                        missing[f.key] = facts
                elif id(p) in facts.without_gradient and p.requires_grad:
                    first = self._first_values.get(id(p))
                    if first is not None and torch.equal(p.detach().flatten()[:SAMPLE], first):
                        missing[id(p)] = facts
        self._missing = missing
