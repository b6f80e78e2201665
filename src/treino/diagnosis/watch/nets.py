"""Every net that a person's code calls: in which mode, with or without gradients, and what became of its
output.

An output is for training if a backward went through it and a step followed. It is judged if it entered a
loss,
an argmax or a comparison and no backward came. Targets (pseudo-labels, mean teachers), repeated forwards of
the
same rows (Monte-Carlo dropout) and outputs that nobody judges (update_bn, samples) are neither.
"""

import threading
import weakref
from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import nn

from treino.diagnosis.finding import Site
from treino.diagnosis.watch.backward import Backward
from treino.diagnosis.watch.class_axes import ClassAxes
from treino.diagnosis.watch.gradients import Gradients
from treino.diagnosis.watch.output import Net, Output, caller_net, class_axis, first_tensor
from treino.diagnosis.watch.patches import Patches, compiling, in_functorch, unseen
from treino.diagnosis.watch.seen import CallSeen, OptimizerSeen, Seen
from treino.diagnosis.watch.where import here

RECENT = 12
PATIENCE = 8  # optimizer steps after which no backward is expected any more
MOST_PENDING = 4096
SETTLED = 16  # trainings of a net after which the windows are enough
COMPARES = ("eq", "__eq__", "ne", "__ne__")
JUDGES = ("argmax", "max", "topk", "round", "gt", "ge", "lt", "le", "__gt__", "__ge__", "__lt__", "__le__")


class Nets:
    """Wraps ``Module.__call__`` and the handful of functions that turn outputs into figures."""

    def __init__(self, seen: Seen, patches: Patches, gradients: Gradients, backward: Backward) -> None:
        self.seen, self.patches, self.gradients, self.backward = seen, patches, gradients, backward
        self.stack: list[nn.Module] = []
        self.made: weakref.WeakKeyDictionary[nn.Module, Site | None] = weakref.WeakKeyDictionary()
        self.loaded: weakref.WeakSet[nn.Module] = weakref.WeakSet()
        self.nets: weakref.WeakKeyDictionary[nn.Module, Net] = weakref.WeakKeyDictionary()
        self.eval_at: weakref.WeakKeyDictionary[nn.Module, Site] = weakref.WeakKeyDictionary()
        self._fast: dict[int, tuple[weakref.ref[nn.Module], Net]] = {}  # the same, by id
        self.outputs: deque[Output] = deque(maxlen=RECENT)
        self._known: dict[int, tuple[weakref.ref[torch.Tensor], Output]] = {}
        self.unfinished: list[Output] = []  # reached by a backward, not yet followed by a step
        self.pending: list[Output] = []
        self.most_before = 0  # calls in a row without a backward, as far as windows saw
        self.steps = 0
        self.loader_of: Callable[[], Site | None] = lambda: None
        self.row_listeners: list[Any] = []
        self.bad_listeners: list[Any] = []
        self.finished_listeners: list[Any] = []
        self._axes = ClassAxes(seen)

    def install(self) -> None:
        patches, stack = self.patches, self.stack
        original = nn.Module.__call__
        ident, main, passes = threading.get_ident, patches.thread, self._passes

        def call(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            if patches.careful and compiling():
                return original(module, *args, **kwargs)
            if (stack and not patches.full) or not patches.on or ident() != main:
                return original(module, *args, **kwargs)
            stack.append(module)
            try:
                result = original(module, *args, **kwargs)
            finally:
                stack.pop()
            if not stack:
                if in_functorch() or (not patches.full and passes(module, result)):
                    return result
                patches.count += 1
                started = 0.0 if patches.count & 15 else perf_counter()
                patches.on = False
                try:
                    self._called(module, args, kwargs, result)
                except Exception as error:
                    patches.defect("forward", error)
                patches.on = True
                if started:
                    patches.spent += 16 * (perf_counter() - started)
            return result

        patches.replace(nn.Module, "__call__", unseen(call))
        patches.before(nn.Module, "__init__", self._made)
        patches.before(nn.Module, "load_state_dict", lambda a, k: self.loaded.update(a[0].modules()))
        patches.before(nn.Module, "train", self._mode)
        for name in JUDGES:
            patches.after(torch.Tensor, name, self._judge(name), always=False)
        for name in ("argmax", "max", "topk", "round"):
            patches.after(torch, name, self._judge(name), always=False)
        for name in COMPARES:
            patches.after(torch.Tensor, name, self._compared, always=False)
        patches.after(torch, "eq", self._compared, always=False)
        patches.after(torch, "multinomial", self._judge("multinomial"), always=False)
        for name in ("numpy", "tolist"):
            patches.after(torch.Tensor, name, self.taken, always=False)
        for name in ("__sub__", "__rsub__", "sub"):
            patches.after(torch.Tensor, name, self._difference, always=False)
        self.gradients.fill_listeners.append(self._filled)

    # --- modules --------------------------------------------------------------------------------------------
    def _made(self, args: Any, kwargs: Any) -> None:
        self.made[args[0]] = here()

    def _mode(self, args: Any, kwargs: Any) -> None:
        self.patches.quiet = False
        mode = args[1] if len(args) > 1 else kwargs.get("mode", True)
        site = None if mode else here()
        net = self.nets.get(args[0])
        if net is not None:
            net.eval_at = site
            net.evaluated_since_eval = False
        elif site is not None:
            self.eval_at[args[0]] = site

    def place(self) -> Site | None:
        """Where the running operation is written: the layer's own line where a torch container calls it."""
        stack = self.stack
        if len(stack) > 1 and type(stack[-2]).__module__.startswith("torch.nn"):
            made = self.made.get(stack[-1])
            if made is not None:
                return made
        elif len(stack) == 1 and type(stack[-1]).__module__.startswith("torch.nn.modules.container"):
            return self.made.get(stack[-1]) or here()
        return here()

    def _passes(self, module: nn.Module, result: Any) -> bool:
        """Whether this is a training like those before it, outside of the windows."""
        known = None if self.patches.curious else self._fast.get(id(module))
        if known is not None and known[1].settled and known[0]() is module and module.training:
            before = self.backward.since_backward + 1
            try:
                out = result if isinstance(result, torch.Tensor) else first_tensor(result)
            except Exception:  # a container of the script's own; whoever looks at it says so
                return False
            if before <= self.most_before and out is not None and out.requires_grad:
                self.backward.since_backward = before
                self.patches.quiet = True
                return True
        self.patches.quiet = False
        return False

    def _called(self, module: nn.Module, args: Any, kwargs: Any, result: Any) -> None:
        out = first_tensor(result)
        if out is None or out.dim() == 0:
            return
        known = self._fast.get(id(module))
        net = known[1] if known is not None and known[0]() is module else self.nets.get(module)
        before = self.backward.since_backward = self.backward.since_backward + 1
        if self.patches.full and before > self.most_before:
            self.most_before = before
        if net is None:
            net = self._net(module)
        site = here()
        if not net.modal and net.count == 1:
            whole = caller_net(module)
            if whole is not None:
                net, site = self._net(whole[0]), whole[1]
                module, training = whole[0], whole[0].training
        call = net.calls.get(site)
        if call is None:
            call = net.calls[site] = CallSeen(net.seen, site)
            self.seen.calls.append(call)
        call.calls += 1
        x = next((a for a in args if isinstance(a, torch.Tensor)), None)
        modal = any(m.training for m in net.modal)
        training = module.training
        net.calls_total += 1
        output = Output(call, out, net, training, modal, self.steps)
        if x is not None and not x.is_floating_point() and x.dim() == 0:
            x = None
        if x is not None:
            source = None if torch.is_grad_enabled() else self._match(x)
            if source is not None and source.modal:
                output.modal = True
            net_key = (id(x), x._version if not x.is_inference() else 0)
            if net.last_input is not None:
                reference, version, steps = net.last_input
                if reference() is x and version == net_key[1] and steps == self.steps and not output.grad:
                    output.target = True  # the same rows again, with no step between: Monte Carlo
                    for earlier in self.outputs:
                        if earlier.net is net and not earlier.grad:
                            earlier.target = True
            net.last_input = (weakref.ref(x), net_key[1], self.steps)
        if out.grad_fn is not None:
            mark = _Reached(output, self)  # only the graph holds it: it tells that the graph lives
            out.grad_fn.register_prehook(mark)
            net.held.append(weakref.ref(mark))
            if net.calls_total % 8 == 0:
                self._count_held(net)
        while self.outputs and (len(self.outputs) == RECENT or self.outputs[0].step < self.steps - PATIENCE):
            oldest = self.outputs.popleft()
            if oldest.grad and not oldest.reached and len(self.pending) < MOST_PENDING:
                self.pending.append(oldest)  # a backward may still come, after many more calls
            else:
                self._settle(oldest)
            self._forget(oldest)
        self.outputs.append(output)
        self._know(output, out)
        for listener in self.row_listeners:
            listener(output, net, x)

    def _net(self, module: nn.Module) -> Net:
        net = self.nets.get(module)
        if net is None:
            net = self.nets[module] = Net(module, self.made.get(module), len(self.seen.nets))
            self._fast[id(module)] = weakref.ref(module), net
            self.seen.nets.append(net.seen)
            net.eval_at = None if module.training else self.eval_at.get(module)
        return net

    def _count_held(self, net: Net) -> None:
        alive: dict[int, list[Any]] = {}
        for reference in net.held:
            mark = reference()
            output = mark.output if mark is not None else None
            if output is not None and output.reached and output.step < self.steps - 2:
                alive.setdefault(id(output.call), [output.call, 0])[1] += 1
        for call, count in alive.values():
            call.kept = max(call.kept, count)

    def _know(self, output: Output, t: torch.Tensor) -> None:
        """This tensor, and every other view of its memory, is that output."""
        if len(output.keys) < 16:
            base = t._base
            for one in (t,) if base is None else (t, base):
                self._known[id(one)] = weakref.ref(one), output
                output.keys.append(id(one))

    def _forget(self, output: Output) -> None:
        for key in output.keys:
            found = self._known.get(key)
            if found is not None and found[1] is output:
                del self._known[key]

    # --- what becomes of an output --------------------------------------------------------------------
    def _match(self, t: torch.Tensor) -> Output | None:
        outputs = self.outputs
        if not outputs:
            return None
        for one in (t, t._base):
            known = self._known.get(id(one))
            if known is not None and one is not None and known[0]() is one:
                return known[1]
        node = t.grad_fn
        if node is None and t.is_inference() and not t.is_sparse:
            return self._same_memory(t)
        if node is not None:
            seqs = {o.seq: o for o in outputs if o.seq >= 0}
            for _ in range(10):
                found = seqs.get(node._sequence_nr())
                if found is not None:
                    return found
                following = node.next_functions
                if not following or following[0][0] is None:
                    return None
                node = following[0][0]
        return None

    def derived(self, before: torch.Tensor, after: torch.Tensor) -> None:
        """A softmax or a sigmoid of an output still is that output."""
        output = self._match(before)
        if output is not None:
            self._know(output, after)

    def lost(
        self, x: torch.Tensor, target: torch.Tensor, trained: bool, result: torch.Tensor
    ) -> np.ndarray | None:
        """A loss function took an input and a target; returns the classes that it says, where it has them."""
        output, said = self._match(x), None
        if output is not None:
            if output.bad_rows and not bool(torch.isfinite(result.detach()).all()):
                for listener in self.bad_listeners:
                    listener(output)
            if output.hashes is not None and target.dim() == 1 and not target.is_floating_point():
                output.labels = target.detach().numpy()
                if x.dim() == 2:
                    output.predicted = said = x.detach().argmax(1).numpy()
            one_each = target.is_floating_point() and target.numel() == output.rows
            if output.hashes is not None and one_each and result.numel() == 1:
                low, high = torch.aminmax(target.detach())
                output.goal = float(low), float(high), float(result.detach())
            if not trained or not torch.is_grad_enabled():
                output.judged = True
            elif output.grad:
                output.judged = True  # for nothing, unless a backward comes
            often = output.net.class_dim is None or not output.net.calls_total & 7
            if often and x.dim() > 1 and not target.is_floating_point():
                output.net.class_dim = class_axis(x, output)
            if trained and not target.requires_grad:
                output.net.supervised = True
        goal = self._match(target)
        if goal is not None and goal is not output:
            goal.target = True
        return said

    def taken(self, result: Any, args: Any, kwargs: Any) -> None:
        """``numpy()`` of a supervised net's output, without a graph: some library will judge it."""
        t = args[0]
        if t.grad_fn is not None or not self.outputs or not t.is_floating_point():
            return
        output = self._match(t) or self._same_memory(t)
        if output is not None and output.net.supervised and not output.grad:
            output.judged = True

    def _same_memory(self, t: torch.Tensor) -> Output | None:
        memory = t.untyped_storage().data_ptr()
        for output in reversed(self.outputs):
            if output.storage is not None and output.storage.data_ptr() == memory:
                return output
        return None

    def let_go(self, t: torch.Tensor) -> None:
        """detach() says that no gradient is wanted: a graph that nobody uses is no surprise."""
        output = self._match(t)
        if output is not None:
            output.let_go = True

    def _judge(self, name: str) -> Any:
        def observe(result: Any, args: Any, kwargs: Any) -> None:
            t = args[0]
            if not isinstance(t, torch.Tensor):
                return
            output = self._match(t)
            if output is None:
                return
            output.judged = True
            found = result if isinstance(result, torch.Tensor) else result[1]
            self._know(output, found)
            if name in ("argmax", "max"):
                self._axes.look(name, output, t, args, kwargs, result)

        return observe

    def _compared(self, result: Any, args: Any, kwargs: Any) -> None:
        """``argmax == labels``: what was said, and what is true."""
        if len(args) < 2 or not self.outputs:
            return
        for one, other in ((args[0], args[1]), (args[1], args[0])):
            if isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor) and one.shape == other.shape:
                output = self._match(one)
                if output is not None and output.best_rows is not None and output.best_rows[0]() is one:
                    self._axes.count(*output.best_rows[1:])
                if output is not None:
                    output.judged = True
                    if output.hashes is not None and one.dim() == 1 and len(output.hashes) == len(one):
                        output.predicted = one.detach().long().numpy()
                        output.labels = other.detach().long().numpy()
                    return

    def _difference(self, result: Any, args: Any, kwargs: Any) -> None:
        if len(args) < 2 or not self.outputs:
            return
        for one, other in ((args[0], args[1]), (args[1], args[0])):
            if isinstance(one, torch.Tensor) and one.is_floating_point():
                output = self._match(one)
                if output is not None:
                    if isinstance(other, torch.Tensor) and other.requires_grad:
                        output.target = output.target or not one.requires_grad
                    elif isinstance(other, torch.Tensor):
                        output.judged = True

    def reached(self, output: Output) -> None:
        """A gradient flows through this output."""
        output.reached = True
        if self.backward.running and not output.fresh:
            output.fresh = True
            self.unfinished.append(output)

    def _filled(self, filled: set[int]) -> None:
        if not filled:
            self.unfinished.clear()

    def after_step(self, facts: OptimizerSeen) -> None:
        """Outputs reached since the last clearing have trained the nets that this optimizer owns."""
        self.steps += 1
        if not (self.unfinished or self.pending):
            return
        others: list[Output] = []
        owner = self.gradients.owner
        for output in self.unfinished:
            call, net = output.call, output.net
            if not any(p is not None and owner(p) is facts for p in (r() for r in net.some)):
                others.append(output)
                continue
            call.trained += 1
            net.seen.trained += 1
            net.seen.trained_at = call.site
            net.settled = net.seen.trained >= SETTLED
            if output.training or not net.modal or output.modal:
                continue
            if net.eval_at is not None and net.evaluated_since_eval and net.learns():
                net.seen.trained_in_eval += 1
                net.seen.eval_at = net.eval_at
        self.unfinished = others[-64:]
        if self.pending:
            for output in self.pending:
                if output.reached or output.step < self.steps - PATIENCE:
                    self._settle(output)
            self.pending = [o for o in self.pending if not o.reached and o.step >= self.steps - PATIENCE]

    def _settle(self, output: Output) -> None:
        """An output is old enough to say what it was for."""
        call, net = output.call, output.net
        for listener in self.finished_listeners:
            listener(output, net)
        if output.reached:
            return
        if not output.training:
            net.evaluated_since_eval = True
        if output.target:
            call.exempt += 1
            return
        if not output.judged:
            return
        call.judged += 1
        if output.modal and (output.training or net.eval_at is None):  # or its flag alone was set by hand
            call.judged_in_train_mode += 1
        if output.grad and not output.let_go:
            call.unused_in_eval += not output.training
            call.graph_unused += 1
            call.graph_rows += output.rows

    def finish(self) -> None:
        """Settle what is left."""
        for output in (*self.pending, *self.outputs):
            self._settle(output)
        self.pending.clear()
        self.outputs.clear()


class _Reached:
    """A prehook on an output's node: cheap, and no part of the output."""

    __slots__ = ("__weakref__", "nets", "output")

    def __init__(self, output: Output, nets: Nets) -> None:
        self.output, self.nets = output, nets

    def __call__(self, grads: Any) -> None:
        self.nets.reached(self.output)
