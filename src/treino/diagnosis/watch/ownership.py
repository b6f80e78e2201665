"""Who owns what learns: parameters outside every optimizer, and values that were taken out of the graph."""

import weakref
from collections.abc import MutableMapping
from typing import Any

import torch
from torch import nn
from torch.utils.weak import WeakIdKeyDictionary

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.into_loss import part_of_loss
from treino.diagnosis.reading.places import spelled
from treino.diagnosis.reading.source import called, statement_at
from treino.diagnosis.reading.updated import moves_whole_net
from treino.diagnosis.record.lines import here
from treino.diagnosis.watch import graph
from treino.diagnosis.watch.backward import Backward
from treino.diagnosis.watch.flat import Flat
from treino.diagnosis.watch.gradients import Gradients
from treino.diagnosis.watch.held import Held, holder, kept_at, weighs
from treino.diagnosis.watch.nets import Nets
from treino.diagnosis.watch.opened import Opened
from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.seen import CutSeen, OptimizerSeen, Seen, UnownedSeen
from treino.diagnosis.watch.strays import Cut, Strays
from treino.diagnosis.watch.unowned import SAMPLE, Unowned
from treino.diagnosis.watch.where import stack

CUTS = ("detach", "numpy", "tolist")
# What takes a tensor's shape alone.
SHAPES = {f"new_{kind}" for kind in ("zeros", "ones", "empty", "full")}
SHAPES |= {f"{kind}_like" for kind in ("zeros", "ones", "empty", "full", "rand", "randn", "randint")}
ASKED = 12  # nodes between a tensor whose gradient is asked for and the leaf that it is a part of
WEIGHS = ("MmBackward0", "AddmmBackward0", "MvBackward0", "BmmBackward0")

LOOKED_UP = ("IndexBackward0", "EmbeddingBackward0")
SHORT = 8  # nodes between parameters and a number that is made of them
TRAININGS = 8  # of one line whose graphs are read anew


class Ownership:
    """Listens to the graphs that Backward reads and to the functions that leave a graph."""

    def __init__(
        self, seen: Seen, patches: Patches, gradients: Gradients, backward: Backward, nets: Nets
    ) -> None:
        self.seen, self.patches, self.gradients, self.nets = seen, patches, gradients, nets
        self.backward = backward
        self._unowned: dict[int, Unowned] = {}
        self._cuts: dict[tuple[Any, str], Cut] = {}
        self._newest_cuts: set[Cut] = set()  # since the last step
        self._fresh: dict[Site | None, tuple[int, set[tuple[int, ...]]]] = {}
        self._made_order: MutableMapping[nn.Module, int] = WeakIdKeyDictionary()
        self._order = 0
        self._pending: list[Unowned] = []
        self._first_values: dict[int, torch.Tensor] = {}
        self.opened = Opened(seen, gradients.owner)
        self._judged: dict[int, UnownedSeen] = {}
        self._asked: dict[int, weakref.ref[torch.Tensor]] = {}  # plain leaves whose gradient was asked for
        self._missing: dict[int, OptimizerSeen] = {}
        self._by_hand: dict[int, OptimizerSeen] = {}  # the same where there is none
        self._turns = 0  # backwards where there is none
        self._begun: set[int] = set()  # parameters that were not loaded before their optimizer's first step
        backward.graph_listeners.append(self._graph)
        backward.turn_listeners.append(self._turn)
        self.strays = Strays(gradients, self._cut)
        backward.graph_listeners.append(self.strays.read_graph)
        self.flat = Flat(gradients, backward.lines)
        backward.graph_listeners.append(self.flat.read_graph)
        backward.lines.left.append(self._left)
        backward.lines.made.append(self.strays.observe)

    def install(self) -> None:
        for name in CUTS:
            self.patches.before(torch.Tensor, name, self._cutter(name), always=False)
        self.patches.before(torch, "tensor", self._cutter("torch.tensor"), always=False)
        for name in ("item", "__float__"):
            self.patches.before(torch.Tensor, name, self._as_number, always=False)
        self.patches.before(nn.Module, "__init__", self._module_made)
        self.patches.before(torch.autograd, "grad", self._asks, always=False)

    def _asks(self, args: Any, kwargs: Any) -> None:
        """Points at which derivatives are taken are no weights, however they are held."""
        inputs = args[1] if len(args) > 1 else kwargs.get("inputs", ())
        for t in inputs if isinstance(inputs, (list, tuple)) else (inputs,):
            if not isinstance(t, torch.Tensor):
                continue
            found = graph.leaves(graph.walk(t.grad_fn, ASKED)) if t.grad_fn is not None else [t]
            if len(self._asked) < 4 * SAMPLE:
                self._asked.update((id(p), weakref.ref(p)) for p in found if not isinstance(p, nn.Parameter))

    def _module_made(self, args: Any, kwargs: Any) -> None:
        self._order += 1
        self._made_order[args[0]] = self._order

    # --- leaving the graph ----------------------------------------------------------------------------------
    def _cutter(self, how: str) -> Any:
        def observe(args: Any, kwargs: Any) -> None:
            t = args[0] if args else None
            if not isinstance(t, torch.Tensor) or t.grad_fn is None or t.numel() < 2:
                if isinstance(t, torch.Tensor) and t.numel() == 1:
                    self._as_number(args, kwargs)
                return
            sites = stack(3)  # with the callers: a helper that lets go of values may be called rightly too
            if how == "detach" and sites and spelled(sites[0], how):  # a library lets go of all it is given
                self.nets.outputs.let_go(t)
            if sites:
                self._cut(sites, how, t)

        return observe

    def _as_number(self, args: Any, kwargs: Any) -> None:
        """A number that is made of one or two parameters alone, ``log_scale.exp().item()``, of which some
        optimizer waits for gradients; or one that is a part of the loss.
        """
        t = args[0]
        if not t.requires_grad or t.numel() != 1 or not any(o.without_gradient for o in self.seen.optimizers):
            return
        nodes = graph.walk(t.grad_fn, SHORT) if t.grad_fn is not None else []
        behind = graph.leaves(nodes) if nodes else [t]
        alone = len(nodes) < SHORT and len(behind) < 3 and all(self.gradients.owner(p) for p in behind)
        sites = stack(3)
        if alone and sites:
            self._cut(sites, "item", None).behind.update((id(p), weakref.ref(p)) for p in behind)
        elif sites and part_of_loss(sites[0]):
            self._cut(sites, "item", t)

    def _cut(self, sites: tuple[Site, ...], how: str, t: torch.Tensor | None) -> Cut:
        cut = self._cuts.get((sites, how))
        if cut is None:
            cut = self._cuts[sites, how] = Cut(sites, how)
        cut.calls += 1
        self._newest_cuts.add(cut)
        if cut.calls <= 3 and t is not None:
            for p in graph.leaves(graph.walk(t.grad_fn, 600)):
                cut.behind[id(p)] = weakref.ref(p)
        return cut

    def _left(self, how: str, args: Any) -> None:
        """A torch function gave a value without a history: of one with a history, or of parameters."""
        if how in SHAPES:
            return
        if torch.is_grad_enabled():
            t = next((a for a in args if isinstance(a, torch.Tensor) and a.grad_fn is not None), None)
            site = here() if t is not None and t.numel() > 1 and how not in CUTS else None
            if site is not None:
                self._cut((site,), how, t)
            return
        flat = [b for a in args for b in (a if isinstance(a, (list, tuple)) else (a,))]
        given = [p for p in flat if isinstance(p, torch.Tensor) and p.requires_grad and p.grad_fn is None]
        drawn = next((p for p in flat if isinstance(p, torch.Tensor) and p.grad_fn is not None), None)
        if drawn is not None and drawn.numel() > 1:  # Distribution.sample is without gradients inside
            site = here()
            statement = statement_at(site) if site is not None else None
            if site is not None and statement is not None and called(statement, "sample"):
                self._cut((site,), "sample", drawn)
            elif self.nets.stack and self.nets.stack[0].training:  # in a forward that is to train
                self._cut(stack(), "no_grad", drawn)
        sites = stack() if given else ()
        if sites:
            self._cut(sites, "no_grad", None).behind.update((id(p), weakref.ref(p)) for p in given)

    # --- graphs ---------------------------------------------------------------------------------------------
    def _graph(self, site: Site | None, nodes: list[Any], leaves: list[torch.Tensor]) -> None:
        owner = self.gradients.owner
        opened = [p for p in leaves if p in self.opened]
        strangers = {id(p) for p in opened}
        owned = next((o for p in leaves if (o := owner(p)) is not None and id(p) not in strangers), None)
        plain = (p for p in leaves if p.dim() > 1 and not isinstance(p, nn.Parameter))
        by_hand = any(owner(p) is not None for p in plain)
        loose = [p for p in leaves if owner(p) is None]
        held = {id(p): h for p in loose if owned is not None and (h := self._held(nodes, p)) is not None}
        strange = [
            p
            for p in loose
            if isinstance(p, nn.Parameter)
            or id(p) in held
            or (by_hand and owned is not None and self._weighs(nodes, p))
        ]
        homes = None
        for p in (*strange, *(p for p in opened if owner(p) is not None)):
            u = self._unowned.get(id(p))
            if u is None or u.ref() is not p:
                u = self._unowned[id(p)] = Unowned(p)
                u.held, u.listed = held.get(id(p)), bool(self._path(p))
                homes = self._homes() if homes is None else homes
                u.training = homes[id(p)][0].training if id(p) in homes else True
                calls, shapes = self._fresh.get(site, (0, set()))
                self._fresh[site] = (calls + 1, shapes | {tuple(p.shape)})
                u.upstream = self._comes_first(nodes, p)
            u.graphs += 1
            u.optimizer = owned or u.optimizer
            u.alone = u.alone and owned is None
            self._pending.append(u)

    def _held(self, nodes: list[Any], p: torch.Tensor) -> Held | None:
        """Who holds a tensor as a plain attribute that is used as a weight."""
        if isinstance(p, nn.Parameter) or not p.is_floating_point() or not p.numel():
            return None
        known = self._unowned.get(id(p))
        if known is not None and known.ref() is p:
            return known.held
        held = holder(list(self.nets.made), p)
        if held is None or held.asked_for():
            return None
        return held if weighs(nodes, p, drawn=held.drawn(), opened=held.opened()) else None

    def _comes_first(self, nodes: list[Any], p: torch.Tensor) -> bool:
        """Whether no owned parameter lies before this one on the way from the inputs."""
        for node in nodes:
            uses = any(f is not None and getattr(f, "variable", None) is p for f, _ in node.next_functions)
            if uses and any(self.gradients.owner(q) is not None for q in graph.leaves(graph.walk(node))):
                return False
        return True

    def _weighs(self, nodes: list[Any], p: torch.Tensor) -> bool:
        """Whether a plain tensor multiplies data or activations, rather than being multiplied by weights; or
        they are looked up in it.
        """
        for node in nodes:
            before = [graph.turned(f) for f, _ in node.next_functions]
            if any(f is not None and getattr(f, "variable", None) is p for f in before):
                others = [f for f in before if f is not None and getattr(f, "variable", None) is not p]
                if node.name() in LOOKED_UP and graph.looked_up(node, p):
                    return True
                if node.name() not in graph.TURNS:
                    return node.name() in WEIGHS and not any(hasattr(f, "variable") for f in others)
        return False

    def optimizer_made(self) -> None:
        """Parameters that are frozen now and learn later were left out by mistake."""
        newest = self.seen.optimizers[-1]
        self.strays.optimizer_made(newest)
        if (
            self.seen.steps and len(self.seen.optimizers) <= TRAININGS
        ):  # another training, maybe of other layers
            for facts in self.seen.backwards.values():
                facts.sizes.clear()
        for module in list(self.nets.made):
            for p in module._parameters.values():
                if p is not None and not p.requires_grad:
                    self.opened.freeze(p, newest)

    def _part_alone(self, p: torch.Tensor, optimizer: OptimizerSeen | None) -> bool:
        """Whether an optimizer was given exactly one part of the net that this parameter belongs to."""
        if optimizer is None or self.opened.was_frozen(p):
            return False
        given = {f.key for f in self.gradients.followed[id(optimizer)]}
        for root in list(self.nets.nets):
            own = {id(q) for q in root.parameters()}
            if id(p) in own and given & own:
                return any(
                    {id(q) for q in part.parameters()} == given & own
                    for part in root.modules()
                    if part is not root
                )
        return False

    def after_step(self, facts: OptimizerSeen) -> None:
        """A step followed: the graphs that were read since the last one were for training."""
        for u in self._pending:
            u.steps += 1
            if u.optimizer is None:
                u.optimizer = facts
        self._pending.clear()
        for cut in self._newest_cuts if facts.without_gradient else ():
            cut.led += bool(cut.behind.keys() & facts.without_gradient)
        self._newest_cuts.clear()
        if facts.steps == 1 and facts.without_gradient:
            homes = self._homes()
            for f in self.gradients.followed[id(facts)]:
                p = f.ref()
                if p is not None and id(p) in facts.without_gradient:
                    self._first_values[id(p)] = p.detach().flatten()[:SAMPLE].clone()
                    if homes.get(id(p), (None, ""))[0] not in self.nets.loaded:
                        self._begun.add(id(p))  # weights of its own may be put back at the end
        if facts.steps % 64 == 0 or (facts.steps >= 4 and facts.steps & (facts.steps - 1) == 0):
            self.review()

    def order(self) -> int:
        """A number that grows as modules are made."""
        return self._order

    # --- the end --------------------------------------------------------------------------------------------
    def review(self, *, ended: bool = False) -> None:
        """Judge what is alive now; what has died keeps its last judgement.

        ended: no step is under way, so that a net's mode tells nothing of its training.
        """
        self.opened.look_again()
        if self._unowned:
            self._review_unowned(ended)
        self._review_missing()

    def _review_unowned(self, ended: bool) -> None:
        homes: dict[int, tuple[nn.Module, str]] | None = None
        for key, u in self._unowned.items():
            p = u.ref()
            if p is None or u.steps < 2:
                continue
            moved = not torch.equal(p.detach().flatten()[:SAMPLE], u.first)
            if u.held is not None:
                asked = self._asked.get(key)
                moved = moved or not u.held.same(p) or (asked is not None and asked() is p)
            opened = p in self.opened and self.opened.left_out_by(p, u.optimizer)
            owned = self.gradients.owner(p) is not None and not opened
            if moved or owned:  # trained by hand, an average, a copy, or later
                self._judged.pop(key, None)
                continue
            if homes is None:
                homes = self._homes()
            module, name = homes.get(key, (None, ""))
            made_at = self.nets.made.get(module) if module is not None else None
            if u.held is not None:
                module, name, made_at = u.held.module(), u.held.name, u.held.made_at()
            before = self._judged.get(key)
            path = self._path(p)
            registered = u.listed or bool(path) or (u.held is None and _is_own(module))
            if u.held is None and not registered:
                kept = before.made_at if before is not None else kept_at(list(self.nets.made), p)
                made_at = kept or made_at
            made_order = self._made_order.get(module, 0) if module is not None else 0
            random = module is None or module not in self.nets.loaded
            random = random or (before is not None and before.known)  # a checkpoint of its own, read again
            self._judged[key] = UnownedSeen(
                name=path or name,
                shape=tuple(p.shape),
                graphs=u.graphs,
                made_at=made_at,
                made_after=u.optimizer is not None and 0 < u.optimizer.order <= made_order,
                registered=registered,
                training=u.training,
                known=opened or random,
                alone=u.alone,
                on_purpose=u.upstream and p.numel() > 1 and self._part_alone(p, u.optimizer),
                optimizer=u.optimizer,
                opened=opened,
            )

    def finish(self) -> None:
        """Name the parameters that nobody trains, and the lines that kept gradients from others."""
        self.review(ended=True)
        if self._by_hand and any(map(moves_whole_net, self.seen.backwards)):
            self._missing |= self._by_hand
        self.seen.unowned.extend(self._judged.values())
        self._finish_fresh()
        homes = self._homes() if self._missing else {}
        for cut in self._cuts.values():
            behind = [k for k in cut.behind if k in self._missing and self._wanted(k, homes)]
            behind = [k for k in behind if cut.trained or k not in cut.bare]
            if behind:
                optimizer = self._missing[behind[0]]
                self.seen.cuts.append(
                    CutSeen(cut.sites, cut.how, cut.calls, len(behind), len(cut.behind), cut.led, optimizer)
                )
        self.seen.cuts.extend(self.flat.cuts())
        for cut, owner in self.strays.unlearned():
            n = len(cut.besides)
            self.seen.cuts.append(CutSeen(cut.sites, cut.how, cut.calls, n, n, cut.led, owner))

    def _turn(self) -> None:
        """A backward begins where no optimizer was made: now and then look for parameters that none has
        reached, of a net whose others are moved by hand.
        """
        self._newest_cuts.clear()
        self._turns += 1
        moves = (
            self.backward.leaves.moves() if self._turns >= 8 and not self._turns & (self._turns - 1) else {}
        )
        if not moves:
            return
        facts = OptimizerSeen("by hand", None, steps=max(moves.values()))
        self._by_hand.clear()
        for root in list(self.nets.nets):
            own = list(root.parameters())
            if any(id(p) in moves for p in own) and not any(m in self.nets.loaded for m in root.modules()):
                free = (p for p in own if p.requires_grad and p.grad is None)
                self._by_hand |= {id(p): facts for p in free if not self.backward.leaves.reaches(p)}

    def _wanted(self, key: int, homes: dict[int, tuple[nn.Module, str]]) -> bool:
        """Whether a parameter was to be learned: neither loaded nor trained before by somebody else."""
        module, _ = homes.get(key, (None, ""))
        before = any(o.steps for o in self._missing[key].shares_with)
        return not before and (module is None or module not in self.nets.loaded or key in self._begun)

    def _homes(self) -> dict[int, tuple[nn.Module, str]]:
        return {
            id(p): (m, n) for m in list(self.nets.made) for n, p in m._parameters.items() if p is not None
        }

    def _path(self, p: torch.Tensor) -> str:
        """Its name in a net that lists it; empty where none does."""
        every = (named for module in list(self.nets.nets) for named in module.named_parameters())
        return next((name for name, q in every if q is p), "")

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
                    on_purpose=False,
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
                elif id(p) in facts.without_gradient and (p.requires_grad or id(p) in self._missing):
                    first = self._first_values.get(id(p))
                    if first is not None and torch.equal(p.detach().flatten()[:SAMPLE], first):
                        missing[id(p)] = facts
        self._missing = missing


def _is_own(module: nn.Module | None) -> bool:
    """Whether a class of the script's holds its parameter itself, as a loss that learns proxies."""
    return module is not None and type(module).__module__.split(".")[0] != "torch"
