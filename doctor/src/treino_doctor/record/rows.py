"""Record the rows that enter nets in training and in evaluations, as hashes."""

import math
from typing import Any

import torch
from torch import nn

from treino_doctor.finding import Site
from treino_doctor.record.arrays import np
from treino_doctor.record.identity import ByIdentity, Ref
from treino_doctor.record.lines import here, stack
from treino_doctor.record.loaders import Loaders
from treino_doctor.record.log import Backward, Forward
from treino_doctor.record.loss_figures import BINARY, CLASSES, NAMES, answers, input_and_target
from treino_doctor.record.measures import largest
from treino_doctor.record.nets import Nets
from treino_doctor.record.observer import Observer, Recording
from treino_doctor.record.other_labels import held_labels
from treino_doctor.record.reach import reached
from treino_doctor.record.row_figures import tell
from treino_doctor.record.row_log import BadRows, Misaligned
from treino_doctor.record.splits import Splits
from treino_doctor.record.tables import as_array, flat_rows, hash_rows, labels_of
from treino_doctor.record.tape import Tape
from treino_doctor.record.trainings import MOST, Call, Evaluation, Training
from treino_doctor.record.values import Node, first_tensors, made_of, newest_calls

EVALUATIONS = 64
CALLS = 1000  # calls without a loader after which a first epoch that has no end, as an agent's, is cut off
BAD = 64  # maximum number of logged calls with NaN
FAR = 32  # maximum number of operations followed back
DRAWS = ("rand", "randn", "randint", "rand_like", "randn_like", "normal", "uniform", "bernoulli")
PRODUCTS = ("linear", "conv1d", "conv2d", "conv3d", "matmul", "addmm", "mm", "embedding", "gru", "lstm")
KEEPS = frozenset(("getitem", "index_select", "to", "view", "reshape", "unsqueeze", "squeeze", "leaf", "div"))
ORDERED = 40  # minimum number of rows for which an index counts as a permutation of all rows
LEAST, OTHER = 20, 0.1  # minimum rows to compare labels with their loader's, and share that must differ
INDICES = 64  # maximum number of indices examined


class Rows(Observer):
    """Watches the rows of nets' calls."""

    def __init__(self, of: Recording, nets: Nets, loaders: Loaders) -> None:
        super().__init__(of)
        self._nets, self.loaders, self.splits = nets, loaders, Splits(of)
        of.ran.append(self.ran)
        of.called.append(self._called)
        self.trainings: dict[int, Training] = {}
        self.evaluations: dict[Any, Evaluation] = {}
        self._settled = -1
        self._waiting: dict[int, Call] = {}  # calls by number, until a backward or the next turn
        self._modules: ByIdentity[set[int]] = ByIdentity()
        self._known: dict[int, tuple[Ref[torch.Tensor], int, np.ndarray, np.ndarray]] = {}
        self._bad = 0
        self._alone = False
        self._reordered_at: set[Site | None] = set()
        self._drawn: set[Site] = set()
        self.orders = Orders(of.tape)
        self.held: list[np.ndarray] | None = None  # what may be labels, as of the first backward
        self._entered, self._first = (-1, math.nan), 0  # (call, largest input entry); id of the first product
        self.bad_made: Site | None = None

    def install(self) -> None:
        self.loaders.install()
        self.splits.tensors.append(self._tensor_made)
        self.splits.install()
        self._tape.observe(self._lost, *NAMES)
        self._tape.observe(self._compared, "eq", "sub")
        self._tape.observe(self._product, *PRODUCTS, "batch_norm")
        self._tape.observe(self._draws, *DRAWS)
        self._nets.loads.append(self._reset)
        for kind in (nn.Linear, nn.modules.conv._ConvNd, nn.RNNBase):
            self._hooks.observe(kind, "reset_parameters", self._reset)

    def _reset(self, args: Any, kwargs: Any) -> None:
        """Weights were initialised or loaded: the next training call starts a new training."""
        if not self.trainings:
            return
        for module, parts in list(self._modules.items()):
            training = self.trainings.get(self._nets.numbers.get(module, -1))
            if training is not None and id(args[0]) in parts:
                training.reset = True

    def entered(self, module: nn.Module, args: Any, kept: bool) -> None:
        """Record a training call between windows, while the rows of the first epoch are collected; if it is
        not ``kept``, as one of many between two backwards, only its number.
        """
        training = self.trainings.get(self._nets.numbers.get(module, -1))
        if training is None or training.done:
            return
        if training.calls + training.passed >= CALLS and self.loaders.reading is None:
            self._end_first_epoch(training)
            return
        training.passed += not kept
        looked = self._look(args) if kept else None
        if looked is None:
            return
        x, flat, hashes = looked
        fields = {"forward": -1, "net": training.net, "site": here(), "shape": tuple(x.shape)}
        event = Forward(training=True, grad=True, rows=len(flat), **fields | self._log.moment())
        call = Call(event, flat, hashes)
        self._from_loader(call)
        self._check_finite(call, None)
        self._train(training, call)

    def _called(self, event: Forward, module: nn.Module, args: Any, result: Any) -> None:
        if (looked := self._look(args)) is None:
            return
        x, flat, hashes = looked
        if module not in self._modules:
            self._modules[module] = {id(m) for m in module.modules()}
        self._settle(event.turn)
        call = Call(event, flat, hashes)
        call.drawn, self._drawn = self._drawn, set()
        call.node = self._values.find(x)
        if call.drawn and call.node is not None and generated(call.node):
            call.drawn = set()
        behind = call.node.forwards if call.node is not None else ()
        call.made = x.requires_grad or any(f != event.forward for f in behind)
        self._from_loader(call)
        if not call.made:
            self._check_finite(call, result)
        if event.net not in self.trainings:
            shape = tuple(tuple(p.shape) for p in module.parameters())
            self.trainings[event.net] = Training(event.net, shape)
            self.loaders.hungry = True
        training = self.trainings[event.net]
        training.floating = x.is_floating_point()
        if self._entered[0] == event.forward and not math.isfinite(training.entering):
            training.entering = self._entered[1]
        self._waiting[event.forward] = call
        if len(self._waiting) > 2048:
            self._settle(event.turn + 9)

    def _look(self, args: Any) -> tuple[torch.Tensor, np.ndarray, np.ndarray] | None:
        """Return the rows (of the first floating-point tensor that has rows, else the first with rows),
        as an array, too, and their hashes, cached while the tensor is unchanged."""
        tensors = [t for t in first_tensors(args) if t.dim() >= 2]
        if not tensors:
            return None
        x = next((t for t in tensors if t.is_floating_point()), tensors[0])
        fixed = not x.is_inference()
        known = self._known.get(id(x))
        if fixed and known is not None and known[0]() is x and known[1] == x._version:
            return x, known[2], known[3]
        flat = flat_rows(x)
        if flat is None or len(flat) > MOST:
            return None
        hashes = hash_rows(flat)
        for t in first_tensors(args)[:4]:
            if t is not x and t.dim() and t.shape[0] == len(flat) and t.layout == torch.strided:
                beside = flat_rows(t if t.dim() > 1 else t[:, None])
                if beside is not None:
                    hashes = hashes * np.uint64(31) + hash_rows(beside)
        if fixed:
            if len(self._known) > 16:
                self._known.clear()
            self._known[id(x)] = Ref(x), x._version, flat, hashes
        return x, flat, hashes

    def _from_loader(self, call: Call) -> None:
        """Store in a call the loader and the labels of its rows."""
        batch = self.loaders.newest()
        if batch is None or batch.rows is None or batch.rows.shape[:1] != (len(call.flat),):
            return
        batch.calls += 1
        call.reading = batch.reading
        if batch.calls == 1 and batch.labels is not None and batch.labels is not batch.rows:
            call.labels = call.given = labels_of(batch.labels, len(call.flat))

    def _check_finite(self, call: Call, result: Any) -> None:
        with np.errstate(all="ignore"):
            finite = bool(np.isfinite(call.flat.sum(dtype=np.float64)))
        bad = 0 if finite or self._bad >= BAD else int((~np.isfinite(call.flat).all(axis=1)).sum())
        if not bad:
            return
        self._bad += 1
        out = next(iter(first_tensors((result,))), None)
        spoiled = 0
        if out is not None and out.dim() and out.is_floating_point():
            spoiled = int((~torch.isfinite(out.detach().reshape(out.shape[0], -1))).any(1).sum())
        event, loader = call.event, call.reading.site if call.reading is not None else None
        fields: dict[str, Any] = {"site": event.site, "stack": event.stack or stack(), "loader": loader}
        fields |= {"forward": event.forward, "learning": event.grad, "made_at": self.bad_made}
        self._log.tell(BadRows, rows=bad, spoiled=spoiled, **fields)

    def _draws(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        """Note random numbers drawn outside of nets, which may change the rows of the next call."""
        if self._nets.current is None and node is not None and node.site is not None:
            self._drawn.add(node.site)

    def _tensor_made(self, made: Any) -> None:
        """Note the line that made the first tensor with NaN from an array."""
        plain = isinstance(made, torch.Tensor) and made.is_floating_point() and made.dim()
        if self.bad_made is None and plain and not bool(torch.isfinite(made.detach().sum())):
            self.bad_made = here()

    def _product(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        """Measure the input of a net's first product, unless a batch norm follows directly."""
        number = self._nets.forwards + 1
        x = args[0] if args else None
        if node is not None and node.op == "batch_norm":
            if self._entered[0] == number and id(x) == self._first:
                self._entered = number, 0.0
            return
        if self._entered[0] == number or self._nets.current is None:
            return
        self._first = id(result)
        if isinstance(x, torch.Tensor) and x.is_floating_point() and x.numel():
            self._entered = number, largest(x.detach())

    def _lost(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        name = next((n for n in NAMES if node is not None and node.op == n), "")
        x, target = input_and_target(name, args, kwargs)
        if x is None or target is None or not x.dim() or not self._recorded(x_value := self._values.of(x)):
            return
        target_value = self._values.of(target)
        several = name in CLASSES and x.dim() == 2 and not target.is_floating_point()
        comparable = several or (name in BINARY and x.numel() == x.shape[0])
        answer = as_array(answers(name, x)).reshape(-1).astype(np.float64) if comparable else None
        self._match_target(x_value, target, answer, is_label=not target_value.forwards)
        if self._alone or not self.orders.kept:
            return
        call = self._waiting.get(max(x_value.forwards, default=-1))
        one = alone(call.node, target_value) if call is not None and call.event.grad else None
        if one is not None:
            self._alone = True
            self._log.tell(Misaligned, how="alone", site=one.site, at=here(), rows=one.shape[0])

    def _compared(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        pair = [a for a in args[:2] if isinstance(a, torch.Tensor)]
        if len(pair) < 2 or not pair[0].dim():
            return
        one, two = (self._values.of(t) for t in pair)
        if two.forwards and not one.forwards:
            pair, one, two = pair[::-1], two, one
        if self._recorded(one) and not two.forwards and pair[0].numel() == pair[1].numel():
            equal = node is not None and node.op == "eq"
            answer = as_array(pair[0]).reshape(-1).astype(np.float64) if equal else None
            self._match_target(one, pair[1], answer)

    def _recorded(self, node: Node) -> bool:
        """Whether a value comes from nets, and the newest call behind it was recorded."""
        return any(map(self._waiting.__contains__, newest_calls(node.forwards, 1)))

    def _match_target(
        self, node: Node, target: torch.Tensor, answer: np.ndarray | None, is_label: bool = True
    ) -> None:
        """Match a target with the newest calls that made ``node``. is_label: the target comes from no net."""
        rows = int(target.shape[0]) if target.dim() else 0
        few = len(node.forwards) < len(self._waiting)
        numbers = sorted(node.forwards) if few else [f for f in self._waiting if f in node.forwards]
        calls = newest([self._waiting[f] for f in numbers if f in self._waiting], rows)
        labels = labels_of(target, rows) if calls and is_label else None
        if labels is not None and len(calls) > 1:
            history = made_of(self._values.of(target), FAR)
            if not any(n.op in ("randperm", *DRAWS) for n in history):
                self._reordered(calls, labels)
        answer = answer if answer is not None and len(answer) == rows else None
        for call, part in calls:
            call.scored = True
            call.copied |= target.dim() > 1 and tuple(target.shape[1:]) == call.event.shape[1:] != (1,)
            if labels is not None:
                own = labels[part]
                call.kept |= call.given is not None and np.array_equal(call.given, own)
                call.relabelled |= call.labels is not None and not np.array_equal(call.labels, own)
                call.labels = own
                if answer is not None and not call.judged:
                    call.judge(answer[part], own)
                elif call.met is not None and not np.array_equal(call.met[1], own):
                    call.met = None

    def _reordered(self, calls: list[tuple[Call, slice]], labels: np.ndarray) -> None:
        """Log a comparison of several calls with the labels of their loader in another order."""
        judging = [call for call, _ in calls if not (call.event.grad and call.event.training)]
        given = [call.given for call in judging if call.given is not None]
        if len(given) != len(calls) or here() in self._reordered_at:
            return
        loaded = np.concatenate(given)
        other = int((loaded != labels).sum()) if len(loaded) == len(labels) else 0
        many = len(labels) >= LEAST and other >= OTHER * len(labels)
        if many and np.array_equal(np.sort(loaded), np.sort(labels)):
            self._reordered_at.add(here())
            reading = calls[0][0].reading
            loader = reading.site if reading is not None else None
            fields = {"rows": len(labels), "other": other, "loader": loader}
            self._log.tell_here(Misaligned, how="compared", **fields)

    def measured(self, labels: Any) -> None:
        """A library compared the newest calls with numbers, or ranked their answers."""
        rows = len(labels) if hasattr(labels, "__len__") else 0
        for call, _part in newest(list(self._waiting.values()), rows):
            call.scored = True

    def scored(self, predictions: Any, labels: Any) -> None:
        """A library compared the predictions of the newest calls with labels; both are arrays."""
        both = predictions, labels
        predictions, labels = (as_array(v) if isinstance(v, torch.Tensor) else np.asarray(v) for v in both)
        if labels.ndim != 1 or len(labels) < 10 or labels.shape != predictions.shape:
            return
        waiting = [call for number, call in self._waiting.items() if number > self._nets.passed]
        calls = newest(waiting, len(labels))
        if len({call.event.net for call, _ in calls}) > 1:
            return
        numbers = np.unique(labels, return_inverse=True)[1] if labels.dtype.kind not in "fiub" else labels
        if calls and not any(call.kept for call, _ in calls):
            self._reordered(calls, np.asarray(numbers, dtype=np.float64))
        for call, part in calls:
            call.scored = True
            if call.labels is None or not call.judged:
                call.labels = np.asarray(numbers[part], dtype=np.float64)
                call.judge(predictions[part], labels[part])

    def ran(self, event: Backward, root: Any) -> None:
        """Count the calls behind a backward as training."""
        self.held = held_labels(self._values) if self.held is None else self.held
        self._settle(event.turn, without=set(event.forwards))
        for number in event.forwards:
            call = self._waiting.pop(number, None)
            if call is not None:
                self._train(self.trainings[call.event.net], call)

    def _settle(self, turn: int, without: set[int] | None = None) -> None:
        """Count waiting calls that no backward reached as evaluations."""
        if without is None and turn == self._settled:
            return  # later calls may still be learned from
        self._settled = turn
        for number, call in list(self._waiting.items()):
            over = turn > call.event.turn + call.event.grad or (without is not None and not call.event.grad)
            if over and number not in (without or ()):
                del self._waiting[number]
                self._evaluate(call)

    def _train(self, t: Training, call: Call) -> None:
        if call.reading is not None:
            call.reading.trains = True
        if t.add(call):
            self._end_first_epoch(t)

    def _end_first_epoch(self, t: Training) -> None:
        """Collect no more rows of a training between windows."""
        t.done = True
        self.loaders.hungry = not all(o.done for o in self.trainings.values())

    def learner(self, net: int) -> Training | None:
        """The training of a net's weights: its own, or the training of the only trained net with the same
        shapes."""
        own = self.trainings.get(net)
        if own is None or own.rows:
            return own
        alike = [t for t in self.trainings.values() if t.rows and t.shape == own.shape]
        return alike[0] if len(alike) == 1 else None

    def _evaluate(self, call: Call) -> None:
        event, reading = call.event, call.reading
        source = reading and (reading.site, reading.origin and reading.origin.root)
        key = event.net, event.stack, source
        if key not in self.evaluations and len(self.evaluations) < EVALUATIONS:
            self.evaluations[key] = Evaluation(event, reading)
        if key in self.evaluations:
            self.evaluations[key].add(call, self.learner(event.net))

    def finish(self) -> None:
        """Settle the waiting calls, except training calls whose backward never came, and log all rows."""
        for number, call in list(self._waiting.items()):
            if call.event.grad and call.event.stack == self.trainings[call.event.net].stack:
                del self._waiting[number]
        with np.errstate(all="ignore"):
            self._settle(1 << 60)
            self.loaders.let_go()
            tell(self._log, self)


def newest(calls: list[Call], rows: int) -> list[tuple[Call, slice]]:
    """Return the newest calls that have exactly ``rows`` rows in total, each with its slice, or none."""
    parts: list[tuple[Call, slice]] = []
    for call in reversed(calls):
        if rows <= 0:
            break
        parts.insert(0, (call, slice(rows - len(call.flat), rows)))
        rows -= len(call.flat)
    return parts if rows == 0 else []


def generated(node: Node) -> bool:
    """Whether a value is made of random numbers alone, not of existing rows."""
    every = reached(node, lambda one: one.parents if one.op not in DRAWS else (), FAR + 1)
    return len(every) <= FAR and all(one.op in DRAWS or one.parents for one in every)


class Orders:
    """Watches rows that are indexed by a permutation of all rows; these are kept."""

    def __init__(self, tape: Tape) -> None:
        self._left, self.kept = INDICES, list[np.ndarray]()
        tape.observe(self._indexed, "getitem", "index_select")

    def _indexed(self, result: Any, args: Any, kwargs: Any, node: Node | None) -> None:
        index = args[-1] if args else None
        early = node is not None and not node.step and not node.forwards
        if node is None or not early or not isinstance(index, torch.Tensor) or not self._left:
            return
        if index.dim() != 1 or index.dtype != torch.int64 or not ORDERED <= len(index) == len(args[0]):
            return
        self._left -= 1
        if torch.equal(index.sort().values, torch.arange(len(index))) and len(node.parents) > 1:
            node.detail |= {"order": len(index)}
            self.kept.append(as_array(index).copy())


def alone(rows: Node | None, labels: Node | None) -> Node | None:
    """Return a permutation that was applied to rows or to labels, but not to both; None if there is none, or
    if the rows were sorted or computed from other rows."""
    if rows is None or labels is None:
        return None
    one, two = made_of(rows, 32), made_of(labels, 32)
    if any(n.op == "sort" or n.op == "argsort" for n in (*one, *two)):
        return None
    ordered = ([n for n in way if n.detail.get("order") and len(n.parents) > 1] for way in (one, two))
    first, second = ({id(n.parents[1]): n for n in way} for way in ordered)
    single = first.keys() ^ second.keys()
    order = next((n for k, n in (first | second).items() if k in single), None)
    way = one if order in one else two
    sized = [n for n in way if order and n.parents and n.shape[:1] == order.shape[:1]]
    straight = all(n.op in KEEPS for n in sized)
    return order if straight else None
