"""Every net that a person's code calls: in which mode, with or without gradients, and for what.

An output is for training if a backward went through it and a step followed. It is judged if it entered a
loss, an argmax or a comparison and no backward came. Targets (mean teachers), repeated forwards of the
same rows (Monte-Carlo dropout) and outputs that nobody judges (update_bn, samples) are neither.
"""

import weakref
from collections.abc import Callable, MutableMapping
from typing import Any

import torch
from torch import nn
from torch.utils.weak import WeakIdKeyDictionary

from treino.diagnosis.finding import Site
from treino.diagnosis.reading.places import calls_each
from treino.diagnosis.record.lines import here
from treino.diagnosis.watch.backward import Backward
from treino.diagnosis.watch.calls import Calls
from treino.diagnosis.watch.dropouts import Dropouts
from treino.diagnosis.watch.following import follows
from treino.diagnosis.watch.gradients import Gradients
from treino.diagnosis.watch.judging import Judging
from treino.diagnosis.watch.output import (
    Net,
    Output,
    beside,
    caller_net,
    first_tensor,
    followed_tensor,
    own_loss,
    rows_given,
)
from treino.diagnosis.watch.outputs import RECENT, Outputs
from treino.diagnosis.watch.patches import Patches
from treino.diagnosis.watch.restored import puts_back
from treino.diagnosis.watch.seen import CallSeen, OptimizerSeen, Seen
from treino.diagnosis.watch.where import stack

CHANCES = (nn.Softmax, nn.LogSoftmax, nn.Sigmoid)
PATIENCE = 8  # optimizer steps after which no backward is expected any more
MOST_PENDING = 4096
SETTLED = 16  # trainings of a net after which the windows are enough


class Nets:
    """Told of each outermost call of a module."""

    def __init__(self, seen: Seen, patches: Patches, gradients: Gradients, backward: Backward) -> None:
        self.seen, self.patches, self.gradients, self.backward = seen, patches, gradients, backward
        self.calls = Calls(patches, self._passes, self._called)
        self.stack = self.calls.stack
        # By id: a module may have a hash of its own (torchmetrics), which fails before its __init__ is over.
        self.made: MutableMapping[nn.Module, Site | None] = WeakIdKeyDictionary()
        self.loaded: MutableMapping[nn.Module, bool] = WeakIdKeyDictionary()
        self.nets: MutableMapping[nn.Module, Net] = WeakIdKeyDictionary()
        self.eval_at: MutableMapping[nn.Module, Site] = WeakIdKeyDictionary()
        self._compiled: MutableMapping[nn.Module, Net] = WeakIdKeyDictionary()  # by what was compiled
        self._fast: dict[int, tuple[weakref.ref[nn.Module], Net]] = {}  # the same, by id
        self.outputs = Outputs()
        self.judging = Judging(seen, patches, self.outputs)
        self.dropouts = Dropouts(patches, self.stack, self.made)
        self.unfinished: list[Output] = []  # reached by a backward, not yet followed by a step
        self.due: list[Output] = []  # reached in evaluation mode, perhaps to train a net by hand
        self.most_before = 0  # calls in a row without a backward, as far as windows saw
        self.steps = 0
        self.loader_of: Callable[[], Site | None] = lambda: None
        self.row_listeners: list[Any] = []
        self.given: tuple[Any, ...] = ()  # what the net was called with of which these are told
        self.finished_listeners: list[Any] = []

    def install(self) -> None:
        patches = self.patches
        self.calls.install()
        patches.before(nn.Module, "__init__", self._made)
        patches.before(nn.Module, "load_state_dict", self._loaded)
        patches.before(nn.Module, "train", self._mode)
        self.judging.install()
        self.dropouts.install()
        self.gradients.fill_listeners.append(self._filled)
        self.backward.asked.nets = self
        self.backward.moved_listeners.append(self.moved)
        self.backward.turn_listeners.append(self._turn)

    # --- modules --------------------------------------------------------------------------------------------
    def _made(self, args: Any, kwargs: Any) -> None:
        site = self.made[args[0]] = here()
        self.calls.made(args[0], site)

    def _loaded(self, args: Any, kwargs: Any) -> None:
        self.seen.loaded = self.seen.loaded or not self.steps
        for module in args[0].modules():
            self.loaded[module] = True

    def _mode(self, args: Any, kwargs: Any) -> None:
        self.patches.quiet = False
        mode = args[1] if len(args) > 1 else kwargs.get("mode", True)
        site = None if mode else here()
        net = self.nets.get(args[0]) or self._compiled.get(args[0])
        if net is not None:
            was = args[0].training
            if net.left and not mode and not was and puts_back(site):
                return  # the mode was kept too late: it is what eval() had made of it
            net.left = was and not mode
            if mode and len(net.seen.train_at) < 8 and (to := here()) is not None:
                net.seen.train_at.add(to)
            net.eval_at = site
            net.evaluated_since_eval = False
            net.modes += 1
        elif site is not None:
            self.eval_at[args[0]] = site

    def place(self) -> Site | None:
        """Where the running operation is written: its layer's own line, if a container or a loop calls it."""
        site, kinds = here(), [type(module).__module__ for module in self.stack[-2:]]
        if not kinds or not kinds[-1].startswith("torch.nn"):
            return site
        alone = len(self.stack) == 1 and kinds[-1].startswith("torch.nn.modules.container")
        called = kinds[0].startswith("torch.nn") if len(kinds) > 1 else alone
        return (self.made.get(self.stack[-1]) or site) if called or calls_each(site) else site

    def _passes(self, module: nn.Module, result: Any) -> bool:
        """Whether this is a training like those before it, outside of the windows."""
        known = None if self.patches.curious else self._fast.get(id(module))
        if known is not None and known[1].settled and known[0]() is module and module.training:
            before = self.backward.since_backward + 1
            try:
                out = result if isinstance(result, torch.Tensor) else first_tensor(result)
            except Exception:  # a container of the script's own; whoever looks at it says so
                return False
            learns = out is not None and out.requires_grad and torch.is_grad_enabled()  # TorchScript forgets
            if before <= self.most_before and learns:
                self.judging.inner = None
                self.backward.since_backward = before
                self.dropouts.newest = None
                self.patches.quiet = True
                return True
        self.patches.quiet = False
        return False

    def _called(self, module: nn.Module, args: Any, kwargs: Any, result: Any) -> None:
        out, inner = followed_tensor(result), self.judging.inner
        self.judging.inner = None
        own = inner is not None and own_loss(result, (*args, *kwargs.values()), inner[0])
        if out is None or (
            out.dim() == 0 and not (own and any(p.requires_grad for p in module.parameters()))
        ):
            return
        if any(out is a for a in args) and self.outputs.match(out) is not None:
            return  # a dropout in evaluation mode, by itself, gives what another net said
        if isinstance(module, CHANCES) and args and isinstance(args[0], torch.Tensor):
            self.outputs.derived(args[0], out)  # no net: the same answers, as functions would give them
            return
        known = self._fast.get(id(module))
        net = known[1] if known is not None and known[0]() is module else self.nets.get(module)
        before = self.backward.since_backward = self.backward.since_backward + 1
        if self.patches.full and before > self.most_before:
            self.most_before = before
        if net is None:
            net = self._net(module)
        site = here()
        if net.count == 1:
            whole = caller_net(module)
            if whole is not None:
                net, site = self._net(whole[0]), whole[1]
                module, training = whole[0], whole[0].training
        call = net.calls.get(site)
        if call is None:
            call = net.calls[site] = CallSeen(net.seen, site)
            self.seen.calls.append(call)
        call.calls += 1
        x = rows_given(args, kwargs)
        training = module.training
        dropping = self.dropouts.taken(module, net, x, self.steps)
        modal = any(m.training for m in net.modal) or (training and net.dropped)
        net.calls_total += 1
        output, newest = Output(call, out, net, training, modal, self.steps), self.outputs.newest
        if not training and not output.grad:
            net.evaluated_since_eval = True
            self._with_parts(module)
        left = output.grad and not training and not call.unused_by
        if left or (modal and not (call.judged_by and call.trained_by)):
            output.via = _led(site)
        output.dropping = dropping
        output.target = modal and net.gathers()
        if x is not None and not x.is_floating_point() and x.dim() == 0:
            x = None
        if own and inner is not None:
            output.judged = True  # for nothing, unless a backward comes
            net.supervised = net.supervised or inner[1]
            output.rows = x.shape[0] if not out.dim() and x is not None and x.dim() else output.rows
        if x is not None:
            output.given = tuple(x.shape)
            if len(output.given) > 1 and len(net.given) < 16:
                net.given.add(output.given[:2])
            if output.grad and not x.requires_grad:
                net.fed = False
            source = None if torch.is_grad_enabled() else self.outputs.given_by(args)
            if source is not None and source.modal:
                output.modal = True
                if not training and source.net is not net:
                    output.source = source if source.training else source.source
                    output.via = output.via or _led(site)
                net.seen.modal_kinds = net.seen.modal_kinds or source.net.seen.modal_kinds
            net_key = (id(x), x._version if not x.is_inference() else 0)
            if net.last_input is not None:
                reference, version, steps = net.last_input
                if reference() is x and version == net_key[1] and steps == self.steps and not output.grad:
                    output.target = True  # the same rows again, with no step between: Monte Carlo
                    for earlier in newest:
                        if earlier.net is net and not earlier.grad:
                            earlier.target = True
            net.last_input = (weakref.ref(x), net_key[1], self.steps)
        if output.modal and not net.seen.trained:
            self._untrained(module, net, call)
        if out.grad_fn is not None:
            mark = _Reached(output, self)  # only the graph holds it: it tells that the graph lives
            out.grad_fn.register_prehook(mark)
            net.held.append(weakref.ref(mark))
            if net.calls_total % 8 == 0:
                self._count_held(net)
        while newest and (len(newest) == RECENT or newest[0].step < self.steps - PATIENCE):
            oldest = newest.popleft()
            if oldest.grad and not oldest.reached and len(self.outputs.pending) < MOST_PENDING:
                self.outputs.pending.append(oldest)  # a backward may still come, after many more calls
            elif oldest.modal and not oldest.grad and self._collected(oldest):
                self._tell(oldest)
                self.outputs.waiting.append(oldest)
                continue
            else:
                self._settle(oldest)
            self.outputs.forget(oldest)
        newest.append(output)
        for one in (out, *beside(result, out)):
            self.outputs.know(output, one)
        self.outputs.hold(output, out)
        self.given = (*args, *kwargs.values())
        for listener in self.row_listeners:
            listener(output, net, x)
        self.given = ()

    def _net(self, module: nn.Module) -> Net:
        net = self.nets.get(module)
        if net is None:
            inner = getattr(module, "_orig_mod", None)  # of torch.compile: both are one net
            net = self._compiled.get(module) or (self.nets.get(inner) if inner is not None else None)
            if net is None:
                net = Net(module, self.made.get(module), len(self.seen.nets))
                self.seen.nets.append(net.seen)
            self.nets[module] = net
            self._fast[id(module)] = weakref.ref(module), net
            if inner is not None:
                self._compiled[inner] = net
            net.eval_at = None if module.training else self.eval_at.get(inner or module)
        return net

    def _untrained(self, module: nn.Module, net: Net, call: CallSeen) -> None:
        """A net that no step has trained so far: it may follow one, or be a part of one."""
        call.phases += call.phase != self.steps
        call.phase = self.steps
        n = net.calls_total
        if self.steps >= 2 and not net.seen.follows and not n & (n - 1):
            net.seen.follows = follows(module, list(self.nets.items()))

    def _count_held(self, net: Net) -> None:
        alive: dict[int, list[Any]] = {}
        for reference in net.held:
            mark = reference()
            output = mark.output if mark is not None else None
            if output is not None and output.reached and output.step < self.steps - 2:
                alive.setdefault(id(output.call), [output.call, 0])[1] += 1
        for call, count in alive.values():
            call.kept = max(call.kept, count)

    # --- what becomes of an output --------------------------------------------------------------------------
    def reached(self, output: Output) -> None:
        """A gradient flows through this output."""
        output.reached = True
        if self.backward.running and not output.fresh:
            output.fresh = True
            self.unfinished.append(output)
            if not self.seen.optimizers and not output.training and output.net.modal:
                self.due = [*self.due[-7:], output]

    def moved(self, moved: set[int]) -> None:
        """These parameters were moved by hand since the last backward, by the outputs that it reached."""
        due, self.due = self.due, []
        for output in due:
            net = output.net
            known = net.eval_at is not None and net.evaluated_since_eval and net.learns() and not output.modal
            if known and moved and any(id(p) in moved for p in (r() for r in net.some)):
                net.seen.trained_in_eval += 1
                net.seen.eval_at, net.seen.trained_at = net.eval_at, output.call.site

    def _filled(self, filled: set[int]) -> None:
        if not filled:
            self.unfinished.clear()

    def after_step(self, facts: OptimizerSeen) -> None:
        """Outputs reached since the last clearing have trained the nets that this optimizer owns."""
        moves = self.gradients.moves
        self._stepped(lambda p: moves(facts, p))

    def _turn(self) -> None:
        """A backward begins where there is no optimizer: what moves weights by hand has done so by now."""
        by_hand = self.backward.by_hand
        self._stepped(lambda p: (known := by_hand.get(id(p))) is not None and known() is p, quietly=False)
        self.unfinished.clear()

    def _stepped(self, moves: Callable[[torch.Tensor], bool], quietly: bool = True) -> None:
        """What was reached has trained the nets of which such parameters moved.

        quietly: once this has gone on for a while, it is enough to look in windows.
        """
        self.steps += 1
        if self.outputs.waiting:
            self._settle_waiting(self.steps - PATIENCE)
        if not (self.unfinished or self.outputs.pending):
            return
        others: list[Output] = []
        for output in self.unfinished:
            call, net = output.call, output.net
            if not any(p is not None and moves(p) for p in (r() for r in net.some)):
                others.append(output)
                continue
            call.trained += 1
            call.trained_by = call.trained_by or output.via
            net.seen.trained += 1
            net.seen.trained_at = call.site
            net.settled = quietly and net.seen.trained >= SETTLED
            if output.training or not net.modal or output.modal or not quietly:
                continue
            if net.eval_at is None or not net.learns():
                continue
            if net.evaluated_since_eval or self._begun_in_eval(net):
                net.seen.trained_in_eval += 1
                net.seen.eval_at = net.eval_at
        self.unfinished = others[-64:]
        if self.outputs.pending:
            for output in self.outputs.pending:
                if output.reached or output.step < self.steps - PATIENCE:
                    self._settle(output)
            self.outputs.pending = [
                o for o in self.outputs.pending if not o.reached and o.step >= self.steps - PATIENCE
            ]

    def _begun_in_eval(self, net: Net) -> bool:
        """Whether eval() came before all training: of a net that was made anew, of which no part had learned
        before, or was loaded, or is frozen.
        """
        if net.seen.trained != net.seen.trained_in_eval + 1 or net.seen.made_at is None:
            return False
        if net.seen.trained_in_eval:
            return True
        owner = next((module for module, known in self.nets.items() if known is net), None)
        if owner is None or any(m in self.loaded for m in owner.modules()):
            return False
        parts = {id(m) for m in owner.modules()}
        others = (module for module, known in self.nets.items() if known is not net and known.seen.trained)
        return not any(id(m) in parts for m in others) and all(p.requires_grad for p in owner.parameters())

    def _collected(self, output: Output) -> bool:
        """Whether somebody holds an output that may be judged later, joined with others."""
        if len(self.outputs.waiting) >= MOST_PENDING:
            return False
        return output.joined or (not output.judged and next(self.outputs.held(output), None) is not None)

    def _settle_waiting(self, before: int) -> None:
        """What was collected before this step."""
        old = [o for o in self.outputs.waiting if o.step < before]
        self.outputs.waiting = [o for o in self.outputs.waiting if o.step >= before]
        for output in old:
            self._count(output)
            self.outputs.forget(output)

    def _tell(self, output: Output) -> None:
        for listener in self.finished_listeners:
            listener(output, output.net)

    def _with_parts(self, part: nn.Module) -> None:
        """An evaluation of a part is one of each net in eval mode that it belongs to."""
        for owner, net in list(self.nets.items()):
            waits = net.eval_at is not None and not net.evaluated_since_eval and not owner.training
            if waits and any(m is part for m in owner.modules()):
                net.evaluated_since_eval = True

    def _settle(self, output: Output) -> None:
        """An output is old enough to say what it was for."""
        self._tell(output)
        if not output.reached:
            self._count(output)
        output.beside = []  # each holds the others

    def _count(self, output: Output) -> None:
        call, net = output.call, output.net
        if not output.training and output.modes == net.modes:  # what was called before another mode is past
            net.evaluated_since_eval = True
        if output.target:
            call.exempt += 1
            return
        if not (output.judged or any(o.judged for o in output.beside)):
            return
        call.judged += 1
        call.judged_dropping += output.dropping
        by_hand = net.eval_at is None and output.source is None  # its flag alone was set
        trains = output.training or by_hand or output.part_trains()
        if output.modal and trains:
            call.judged_in_train_mode += 1
            call.judged_by = call.judged_by or output.via
            if not output.training and output.part_trains():
                call.eval_site = call.eval_site or net.eval_at
        if output.grad and not output.let_go:
            call.unused_in_eval += not output.training
            call.unused_by = call.unused_by or output.via
            call.graph_unused += 1
            call.unused_at.add(output.step)
            call.graph_rows += output.rows

    def finish(self) -> None:
        """Settle what is left."""
        self._settle_waiting(self.steps + 1)
        for output in (*self.outputs.pending, *self.outputs.newest):
            self._settle(output)
        self.outputs.pending.clear()
        self.outputs.newest.clear()
        self.outputs.held_back = None
        moved = self.backward.by_hand
        for net in list(self.nets.values()) if moved else ():
            own = (p for p in (r() for r in net.some) if p is not None and id(p) in moved)
            net.seen.by_hand = any(moved[id(p)]() is p for p in own)


def _led(site: Site | None) -> tuple[Site, ...]:
    """The lines that led to a call, without those inside of the net's own methods."""
    own = stack()
    at = (i for i, s in enumerate(own) if site is not None and (s.file, s.line) == (site.file, site.line))
    return own[next(at, 0) :]


class _Reached:
    """A prehook on an output's node: cheap, and no part of the output."""

    __slots__ = ("__weakref__", "nets", "output")

    def __init__(self, output: Output, nets: Nets) -> None:
        self.output, self.nets = output, nets

    def __call__(self, grads: Any) -> None:
        self.nets.reached(self.output)
