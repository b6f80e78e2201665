"""Find parameters that no optimizer holds, layers that nothing calls, and what cuts off gradients."""

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from treino_doctor.finding import Site
from treino_doctor.record.gradients import Gradients, OptimizerRecord
from treino_doctor.record.identity import Ref
from treino_doctor.record.lines import here, is_own
from treino_doctor.record.log import Backward
from treino_doctor.record.measures import sampled
from treino_doctor.record.nets import Nets, kind_of
from treino_doctor.record.observer import Observer, Recording
from treino_doctor.record.outcomes import FLAT, Cut, LayerUnreached, Unowned
from treino_doctor.record.reach import leaves, walk
from treino_doctor.record.values import Node, made_of

NEAR = 256  # operations behind a loss among which that of a parameter is looked for
CUTS = 3  # maximum number logged for each line
SHAPES = ("zeros_like", "ones_like", "empty_like", "full_like", "rand_like", "randn_like", "randint_like")
FRESH = ("new_zeros", "new_ones", "new_empty", "new_full")  # these take only a shape
PLAIN = frozenset((*SHAPES, *FRESH, "grad", "set_grad"))


class Stray:
    """A parameter that no optimizer holds, and its event, from the first loss that reached it on. optimizers:
    those whose parameters got gradients from the same losses."""

    def __init__(self, p: torch.Tensor, number: int) -> None:
        self.ref, self.first, self.optimizers = Ref(p), sampled(p), set[int]()
        self.event = Unowned(parameter=number, shape=tuple(p.shape))

    def look(self) -> torch.Tensor | None:
        """Return the parameter if it still exists, and note whether it has moved."""
        p = self.ref()
        self.event.moved |= p is not None and not torch.equal(sampled(p), self.first)
        return p


class Owners(Observer):
    """Watches which optimizer holds the leaves of each loss."""

    def __init__(self, of: Recording, gradients: Gradients, nets: Nets) -> None:
        super().__init__(of)
        self._gradients, self._nets = gradients, nets
        self._strays: dict[int, Stray] = {}
        self._grad_inputs: set[int] = set()
        self._cuts: dict[tuple[Site | None, str], int] = {}
        self._frozen: dict[int, set[int]] = {}  # optimizer -> ids of parameters frozen when it was made
        self._made: dict[int, int] = {}  # optimizer -> number of modules when it was made

    def install(self) -> None:
        self._tape.cuts.append(self._cut)
        self._tape.reads.append(self._number)
        self._tape.observe(self._flat, *FLAT)
        self._tape.observe(self._asks, "grad")
        self._gradients.unowned = self.unowned
        self._gradients.makers.append(self._optimizer)

    def _optimizer(self, number: int) -> None:
        """Note the modules and the frozen parameters that exist when an optimizer is made."""
        self._made[number] = self._nets.made_count
        every = (p for m in list(self._nets.made) for p in m._parameters.values() if p is not None)
        self._frozen[number] = {id(p) for p in every if not p.requires_grad}

    def _asks(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        """Note inputs of ``autograd.grad`` that aren't weights."""
        inputs = args[1] if len(args) > 1 else kwargs.get("inputs", ())
        for one in inputs if isinstance(inputs, (list, tuple)) else (inputs,):
            if isinstance(one, torch.Tensor) and not isinstance(one, nn.Parameter):
                self._grad_inputs |= {id(p) for p in leaves(one, 16)}

    def _cut(self, name: str, inputs: list[torch.Tensor], node: Node) -> None:
        """Log an operation whose result has no graph although its inputs have."""
        if name in PLAIN:
            return
        how = name if torch.is_grad_enabled() else "no_grad"
        self._tell(how, inputs)

    def _number(self, name: str, tensor: torch.Tensor, result: Any) -> None:
        if tensor.requires_grad and torch.is_grad_enabled():
            self._tell(name.strip("_"), [tensor])

    def _flat(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        """Log an operation whose derivative is zero."""
        if isinstance(result, torch.Tensor) and result.requires_grad and node is not None:
            self._tell(node.op, [result])

    def _tell(self, how: str, cut: list[torch.Tensor]) -> None:
        site = here()
        times = self._cuts[site, how] = self._cuts.get((site, how), 0) + 1
        if times > CUTS or site is None:
            return
        behind = (p for t in cut for p in leaves(t))  # a long walk
        if not (known := tuple({n for p in behind if (n := self._gradients.known(p))})):
            self._cuts[site, how] -= 1
            return
        self._log.tell_here(Cut, how=how, parameters=known)

    def unowned(self, root: torch.Tensor, filled: tuple[int, ...]) -> tuple[int, ...]:
        """Return the numbers of the parameters that this loss reaches and no optimizer holds."""
        nodes = walk(root.grad_fn)
        reached = [n.variable for n in nodes if hasattr(n, "variable")]
        held = {id(p) for h in self._gradients.held.values() for p in h.parameters()}
        numbers = []
        homes: dict[int, nn.Module] | None = None
        for p in reached:
            if id(p) in held or not p.numel() or nn.parameter.is_lazy(p):
                continue
            homes = self._homes() if homes is None else homes
            if not isinstance(p, nn.Parameter) and (id(p) not in homes or even(p)):
                continue
            number = self._gradients.number(p)
            if (stray := self._strays.get(number)) is None:
                stray = self._strays[number] = Stray(p, number)
                stray.event.training = homes[id(p)].training if id(p) in homes else True
                uses = (n for n in nodes if any(getattr(b, "variable", 0) is p for b, _ in n.next_functions))
                before = (n for user in uses for n in walk(user)[1:] if hasattr(n, "variable"))
                stray.event.upstream = not any(id(n.variable) in held for n in before)
                stray.event.apart = self._apart(p, held)
                if id(p) not in homes:
                    stray.event.made_at = self._layer_of(root, p)  # it may no longer exist after the loss
            stray.look()
            stray.event.losses += 1
            stray.optimizers |= set(filled)
            stray.event.alone &= not any(id(q) in held for q in reached)
            numbers.append(number)
        return tuple(numbers)

    def _layer_of(self, root: torch.Tensor, p: torch.Tensor) -> Site | None:
        """The line that made the torch layer in which a loss used a parameter."""
        own, loss = self._values.find(p), self._values.find(root)
        users = (n for n in made_of(loss, NEAR) if own in n.parents)
        return next((n.layer for n in users if n.layer is not None), None)

    def _homes(self) -> dict[int, nn.Module]:
        """Map tensor ids to the modules that hold them, also as plain attributes, unlike ``parameters()``."""
        homes: dict[int, nn.Module] = {}
        modules = list(self._nets.made)
        modules += [m for root in list(self._nets.numbers) for m in root.modules()]
        for module in modules:
            for name, value in vars(module).items():
                if name in ("_parameters", "_buffers") or not name.startswith("_"):
                    many = value.values() if isinstance(value, dict) else value
                    some = list(many) if isinstance(value, (dict, list, tuple)) else [value]
                    for one in some[:64]:
                        if isinstance(one, torch.Tensor) and one.requires_grad and one.is_leaf:
                            homes.setdefault(id(one), module)
        return homes

    def finish(self) -> None:
        held = {id(p) for h in self._gradients.held.values() for p in h.parameters()}
        homes = self._homes() if self._strays else {}
        for stray in self._strays.values():
            p, event = stray.look(), stray.event
            home = homes.get(id(p)) if p is not None else None
            event.optimizers, event.gone = tuple(sorted(stray.optimizers)), p is None
            event.opened = any(id(p) in self._frozen.get(o, ()) for o in stray.optimizers)
            if p is not None:
                event.shape, event.held, event.apart = tuple(p.shape), id(p) in held, self._apart(p, held)
                event.grad_input = id(p) in self._grad_inputs
            if p is not None and home is not None:
                event.listed = any(q is p for net in list(self._nets.numbers) for q in net.parameters())
                outer = home if event.listed else self._largest(p) or home
                born, event.made_at = self._nets.order.get(outer, 0), self._nets.made.get(outer)
                event.copied = home in self._nets.loaded or home not in self._nets.made
                event.late = any(born > self._made.get(o, born) for o in stray.optimizers)
            self._log.add(event)

    def _largest(self, p: torch.Tensor) -> nn.Module | None:
        """The module with this parameter that has the most parameters."""
        holders = [m for m in list(self._nets.made) if any(q is p for q in m.parameters())]
        return max(holders, key=lambda m: sum(1 for _ in m.parameters()), default=None)

    def _apart(self, p: torch.Tensor, held: set[int]) -> bool:
        """Whether all that optimizers hold of the net with this parameter is one part of that net."""
        largest = self._largest(p)  # its forward may be called directly
        for root in [*self._nets.numbers, *([largest] if largest is not None else [])]:
            own = {id(q) for q in root.parameters()}
            held_here = own & held
            if id(p) in own and held_here:
                parts = (m for m in root.modules() if m is not root)
                return any({id(q) for q in m.parameters()} == held_here for m in parts)
        return False


def even(p: torch.Tensor) -> bool:
    """Whether all entries are equal, as in an initial state, a mask or a factor, unlike in weights."""
    return bool((p.detach() == p.detach().reshape(-1)[0]).all())


LEAST = 8  # backwards of an optimizer that are examined before its layers are listed


class Unreached(Observer):
    """Notes which parameters of optimizers ever got a gradient, and lists the layers of the others.

    The list is made early, because the nets of a function that has returned no longer exist at the end.
    """

    def __init__(self, of: Recording, nets: Nets, gradients: Gradients) -> None:
        super().__init__(of)
        self._nets, self._gradients = nets, gradients
        self._reached: set[int] = set()  # numbers of parameters
        self._looks: Counter[int] = Counter()  # optimizer -> examined backwards
        # Number of a layer's first parameter -> (its event, its optimizer, the numbers of all)
        self._listed: dict[int, tuple[LayerUnreached, int, set[int]]] = {}
        of.ran.append(self._ran)

    def _ran(self, event: Backward, root: Any) -> None:
        for held in self._gradients.held.values():
            if held.number in event.filled:
                self._looks[held.number] += 1
                known = self._gradients.known
                self._reached.update(known(p) for p in held.parameters() if p.grad is not None)
                if self._looks[held.number] == LEAST:
                    self._list(held)

    def _list(self, held: OptimizerRecord) -> None:
        """List the unreached layers of one optimizer, the outermost ones if nested."""
        known = self._gradients.known
        learning = (p for p in held.parameters() if p.requires_grad and not nn.parameter.is_lazy(p))
        idle = {id(p) for p in learning if p.numel() and known(p) not in self._reached}
        for net in list(self._nets.numbers) if idle else []:
            for layer in self._layers(net, idle, is_users_own(net)):
                own, made_at = list(layer.parameters()), self._nets.made.get(layer)
                numbers, size = {known(p) for p in own}, sum(p.numel() for p in own)
                unreached = LayerUnreached(kind=kind_of(layer), parameters=size, made_at=made_at)
                self._listed[min(numbers)] = unreached, held.number, numbers

    def finish(self) -> None:
        for layer, optimizer, numbers in self._listed.values():
            if not numbers & self._reached:
                self._log.add(layer, looks=self._looks[optimizer])

    def _layers(self, module: nn.Module, idle: set[int], users: bool) -> Iterator[nn.Module]:
        """Yield the unreached layers below a module. users: whether the user's own class made them."""
        for child in module.children():
            own = list(child.parameters())
            if not own or child in self._nets.loaded:
                continue
            if users and child in self._nets.made and all(id(p) in idle for p in own):
                if not any(id(part) in self._nets.entered for part in child.modules()):
                    yield child
            else:
                container = type(child).__module__.startswith("torch.nn.modules.container")
                yield from self._layers(child, idle, users if container else is_users_own(child))


def is_users_own(net: nn.Module) -> bool:
    """Whether a net's class is the user's own code, or it is a container that the user filled."""
    if type(net).__module__.startswith("torch.nn.modules.container"):
        return True
    name = type(net).__module__
    return name == "__main__" or is_own(getattr(sys.modules.get(name), "__file__", None) or "<unknown>")
