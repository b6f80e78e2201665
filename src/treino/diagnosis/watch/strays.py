"""Values that left the graph, followed until they enter it again as if they were data: the ``.data`` of a
parameter, a sample of a distribution whose parameters are learned.
"""

import sys
import weakref
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import torch
from torch.distributions import Distribution

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.source import called, tree
from treino.diagnosis.record.lines import here
from treino.diagnosis.watch import graph
from treino.diagnosis.watch.gradients import Gradients
from treino.diagnosis.watch.seen import OptimizerSeen

TAKEN = ("data", "detach", "tensor", "as_tensor")  # what gives a parameter's values without its history
PLAIN = (torch.Tensor, torch.nn.Parameter)
JOINS = ("cat", "concat", "concatenate", "stack", "hstack", "vstack")
MOST = 512  # values that are followed at a time
DEEP = 12  # frames


class Cut:
    """One line (and what led to it) that leaves the graph, and the parameters behind it."""

    def __init__(self, sites: tuple[Site, ...], how: str) -> None:
        self.sites, self.how = sites, how
        self.calls = 0
        self.led = 0  # steps of its parameters' optimizer that it came just before
        self.behind: dict[int, weakref.ref[torch.Tensor]] = {}
        self.bare: set[int] = set()  # of these, those whose own values were taken: perhaps only to look at
        self.entered: set[int] = set()  # numbers of the newest nodes that its value went into
        self.trained = 0  # graphs with such a node that were run backward
        self.besides: set[int] = set()  # parameters behind it that such a graph reached otherwise
        self.owner: OptimizerSeen | None = None  # of these
        self.met = False  # its value met what these parameters made, as a sample does in a log-probability


NewCut = Callable[[tuple[Site, ...], str, torch.Tensor | None], Cut]


class Strays:
    """Told of each torch function while lines are looked at, and of each graph that is read."""

    def __init__(self, gradients: Gradients, new_cut: NewCut) -> None:
        self.gradients, self.new_cut = gradients, new_cut
        self._strays: dict[int, tuple[weakref.ref[torch.Tensor], Cut]] = {}
        self._memory: dict[int, weakref.ref[torch.Tensor]] = {}  # where owned parameters lie
        self._known = 0  # of these
        self._written: list[weakref.ref[torch.Tensor]] = []  # the newest ways around a graph to plain values
        self.cuts: list[Cut] = []

    def optimizer_made(self, newest: OptimizerSeen | None = None) -> None:
        """Remember where the parameters of the newest optimizer lie, or of all."""
        every = self.gradients.followed
        self._known = sum(map(len, every.values()))
        for followed in every.values() if newest is None else [every[id(newest)]]:
            for f in followed:
                p = f.ref()
                if p is not None and type(p) in PLAIN and p.layout is torch.strided and p.numel() > 1:
                    self._memory[p.untyped_storage().data_ptr()] = f.ref

    def observe(self, name: str, args: Any, result: Any) -> None:
        """A function gave a result."""
        given = list(_tensors(args))
        if not torch.is_grad_enabled():
            self._without_graph(name, given, result)
            return
        self._write(name, given, result)
        if name == "normal" and len(given) > 1 and all(t.grad_fn is not None for t in given[:2]):
            self._follow(self._cut("torch.normal", given[:2]), result)
            return
        for t in given:
            cut = self._cut_of(t, name, result)
            if cut is None:
                continue
            made = next(_tensors(result), None)
            if made is None or made.grad_fn is None:
                self._follow(cut, result)
                continue
            cut.entered.add(made.grad_fn._sequence_nr())
            others = (o for o in given if o is not t and o.grad_fn is not None)
            if name not in JOINS and any(_reaches(o, cut) for o in others):
                cut.met = True

    def _write(self, name: str, given: list[torch.Tensor], result: Any) -> None:
        """``sums.data.index_add_(0, to, messages)``: what is written has a history, ``sums`` has none."""
        if not given:
            return
        first = given[0]
        if name in ("data", "detach") and not first.requires_grad and isinstance(result, torch.Tensor):
            self._written = [*self._written[-7:], weakref.ref(result)]
        elif _writes(name) and first.requires_grad and any(known() is first for known in self._written):
            self._cut("data", [t for t in given[1:] if t.grad_fn is not None])

    def _cut_of(self, t: torch.Tensor, name: str, result: Any) -> Cut | None:
        """The line at which this value left the graph, here or before."""
        known = self._strays.get(id(t))
        if known is not None and known[0]() is t:
            return known[1]
        if not t.is_floating_point() or t.numel() < 2:
            return None
        if t.requires_grad:
            taken = name in TAKEN and t.grad_fn is None and self.gradients.owner(t) is not None
            return self._cut(name, [t]) if taken else None
        if not self._memory or type(t) not in PLAIN or t.layout is not torch.strided:
            return None
        memory = t.untyped_storage().data_ptr()
        reference = self._memory.get(memory)
        p = reference() if reference is not None else None
        still = p is not None and p.requires_grad and p.untyped_storage().data_ptr() == memory
        return self._cut("data", [p]) if p is not None and still else None

    def _without_graph(self, name: str, given: list[torch.Tensor], result: Any) -> None:
        """Distribution.sample is without gradients inside; so is what is written in place."""
        source = [t for t in given[1:] if t.grad_fn is not None and t.numel() > 1]
        if source and _writes(name) and not given[0].requires_grad:
            self._cut("no_grad", source)
        known = (self._strays.get(id(t)) for t in given)
        sampled = (k[1] for k in known if k is not None and k[0]() is not None and k[1].how == "sample")
        cut = next(sampled, None)
        drawn = cut is not None or any(t.grad_fn is not None and t.numel() > 1 for t in given)
        source = _sampled() if drawn else []
        if source:
            self._follow(cut or self._cut("sample", source), result)

    def _cut(self, how: str, behind: list[torch.Tensor]) -> Cut | None:
        site = here()
        if site is None:
            return None
        cut = self.new_cut((site,), how, None)
        if cut not in self.cuts:
            self.cuts.append(cut)
        if cut.calls <= 3:
            for t in behind:
                found = graph.leaves(graph.walk(t.grad_fn, 600)) if t.grad_fn is not None else [t]
                cut.behind.update((id(p), weakref.ref(p)) for p in found)
                cut.bare |= {id(t)} if t.grad_fn is None else set()
        return cut

    def _follow(self, cut: Cut | None, result: Any) -> None:
        if cut is None:
            return
        if len(self._strays) > MOST:
            self._strays = {k: v for k, v in self._strays.items() if v[0]() is not None}
            if len(self._strays) > MOST:
                self._strays.clear()
        for t in _tensors(result):
            if t.is_floating_point() and t.numel() > 1:
                self._strays[id(t)] = weakref.ref(t), cut

    def unlearned(self) -> Iterator[tuple[Cut, OptimizerSeen]]:
        """Samples that nets were trained on, without the gradient that would have trained what they are drawn
        from, and the optimizer of that: no policy, whose log-probabilities do so.
        """
        for cut in self.cuts:
            owner, module = cut.owner, tree(cut.sites[0].file)
            if cut.how in TAKEN or cut.met or cut.trained < 2 or owner is None or owner.steps < 3:
                continue
            if module is None or not called(module, "rsample"):
                yield cut, owner

    def read_graph(self, site: Site | None, nodes: list[Any], leaves: list[torch.Tensor]) -> None:
        """A graph is run backward: which of these values does it hold?"""
        if self._known != sum(map(len, self.gradients.followed.values())):
            self.optimizer_made()  # a group was added
        entered = [cut for cut in self.cuts if cut.entered]
        if not entered:
            return
        numbers = {node._sequence_nr() for node in nodes if not hasattr(node, "variable")}
        reached = {id(p) for p in leaves}
        for cut in entered:
            if cut.entered & numbers:
                cut.trained += 1
                cut.besides |= reached & cut.behind.keys()
                owners = (self.gradients.owner(p) for p in leaves if id(p) in cut.behind)
                cut.owner = cut.owner or next((o for o in owners if o is not None), None)
                cut.entered.clear()


def _tensors(values: Any) -> Iterator[torch.Tensor]:
    """The tensors among arguments or results, also in lists of them."""
    for value in values if isinstance(values, (list, tuple)) else (values,):
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from (v for v in value if isinstance(v, torch.Tensor))


def _writes(name: str) -> bool:
    """Whether a function of this name writes into its first argument."""
    return name == "__setitem__" or name.startswith("__i") or (name[-1:] == "_" and name[:2] != "__")


def _reaches(t: torch.Tensor, cut: Cut) -> bool:
    """Whether a value was made by the parameters behind a cut."""
    return any(id(p) in cut.behind for p in graph.leaves(graph.walk(t.grad_fn, 600)))


def _sampled() -> list[torch.Tensor]:
    """The learned arguments of the distribution whose ``sample`` runs, if it could give gradients and its
    width is learned, too.
    """
    frame: FrameType | None = sys._getframe(2)
    for _ in range(DEEP):
        if frame is None:
            break
        if frame.f_code.co_name == "sample":
            source = frame.f_locals.get("self")
            if isinstance(source, Distribution) and source.has_rsample:
                own = [v for v in map(vars(source).get, source.arg_constraints) if torch.is_tensor(v)]
                learned = [v for v in own if v.grad_fn is not None]
                if learned and (len(learned) > 1 or len(own) == 1):
                    return learned
        frame = frame.f_back
    return []
