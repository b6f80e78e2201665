"""The first difference between the learner's training and the engine's."""

from dataclasses import replace

from treino.base.words import N_, _
from treino_lessons.call_recording import Pass, Visit
from treino_lessons.causes import cause
from treino_lessons.differences import (
    CLOSE,
    Difference,
    Fault,
    entry,
    farthest,
    loss_in_mode,
    near,
    slope,
    written,
)
from treino_lessons.placement import NUMPY
from treino_lessons.problem import LR, ROWS, STEPS, Answer, EndlessError, Problem
from treino_lessons.stated_loss import misread

NOT_MOVED = Fault(
    "not_moved",
    N_("In mode {mode!r} the rows x of batch {n} went into the network from the CPU, not moved."),
    N_('Where args["device"] is a GPU the network lies there, and torch refuses tensors of two devices.'),
    N_('Move both: x, y = x.to(args["device"]), y.to(args["device"]); .to returns the moved one.'),
)
LABELS_NOT_MOVED = replace(
    NOT_MOVED,
    message=N_(
        "In mode {mode!r} {function} got rows or classes from the CPU, not moved, beside what the network "
        "answered."
    ),
)
NUMPY_OF_DEVICE = Fault(
    "numpy_of_device",
    N_("In mode {mode!r} NumPy was given a tensor that lies where the network lies."),
    N_('Where args["device"] is a GPU, NumPy can\'t read it: "can\'t convert cuda:0 device type tensor".'),
    N_("Bring it back first: loss.cpu().detach(), or the number alone, loss.item()."),
)
MADE_IN_FUNCTION = Fault(
    "made_in_function",
    N_("In mode {mode!r} the function makes an optimizer or a schedule itself: {kind}."),
    N_("Each call makes it anew: momentum, the averages of Adam and the steps of a schedule begin again."),
    N_("Use the one by the name of optimizer, and make none in the function."),
)
STEPPED_BY_HAND = Fault(
    "stepped_by_hand",
    N_("In training step {n} the weights moved as they should, and optimizer.step() was not called."),
    N_("An update by hand is that of plain SGD: another optimizer, or a schedule, would change nothing."),
    N_("Let the optimizer do it: optimizer.step() after loss.backward()."),
)
ROWS_CHANGED = Fault(
    "rows_changed",
    N_("In mode {mode!r}, call {n} of the network was given rows that are no batch of the loader."),
    N_("Its input must be the batch as it comes; a reshaped one is fine."),
    N_("pred = net(x), with x from the loader that the function is given."),
)
CALLED_AGAIN = Fault(
    "network_called_again",
    N_("In mode {mode!r} the network was called twice for batch {n}."),
    N_("In training each call draws new dropout masks and moves batch norm's running statistics."),
    N_("Call the network once per batch, and use that pred for the loss and for the accuracy."),
)
LOADER_AGAIN = Fault(
    "loader_again",
    N_("In mode {mode!r} the network saw batch {n} again after batch {last}."),
    N_("One call is one epoch: each batch once, in the order of the loader."),
    N_("One loop, for x, y in loader, and no loop around it."),
)
LOADER_UNUSED = Fault(
    "loader_unused",
    N_("In mode {mode!r} no batch was taken from the loader that the function is given."),
    N_("Perhaps the loop goes over a loader of another name."),
    N_("Write: for x, y in loader:"),
)
NETWORK_UNUSED = Fault(
    "network_unused",
    N_("In mode {mode!r} the function took {n} batches and never called the network that it is given."),
    N_("Without a prediction there is no loss."),
    N_("pred = net(x), and then criterion(pred, y)."),
)
LOADER_PARTLY = Fault(
    "loader_partly",
    N_("In mode {mode!r} the network saw {seen} of the loader's {n} batches ({rows} rows in all)."),
    N_("An epoch is all rows; a return or a break inside the loop ends it early."),
    N_("Put the return after the loop, and send every batch through the network."),
)
MOVED_IN_TEST = Fault(
    "weights_moved_in_test",
    N_("In test, batch {n} moved the weight {weight} from {was:.6f} to {now:.6f}."),
    N_("The test rows have been trained on: their figure says nothing about new rows any more."),
    N_('backward() and optimizer.step() belong under if mode == "train":'),
)


def first_difference(found: list[Pass], tried: Problem, answer: Answer) -> Difference | None:
    """Find what differed first; None if nothing differs."""
    for done in found:
        different = _difference_of_pass(done, tried, answer) or _made(done) or misread(done, answer, found)
        if different is not None:
            return different
    return None


def _difference_of_pass(done: Pass, tried: Problem, answer: Answer) -> Difference | None:
    """Compare the batches one by one, then the call as a whole."""
    for at, visit in enumerate(done.visits):
        if done.error is not None and at == len(done.visits) - 1:
            return _raised(done, done.error)
        different = _fed(done, at) or _placed(done, at) or _mode(done, visit, at, tried)
        if different is None:
            trained = done.mode == "train"
            different = _moved(done, at, tried, answer) if trained else _moved_in_test(done, at)
        if different is not None:
            return different
    if done.error is not None:
        return _raised(done, done.error)
    if len(done.visits) != STEPS:
        return _partly(done, len(done.visits))
    return _placed(done) if done.mixed else None


def _placed(done: Pass, at: int | None = None) -> Difference | None:
    """Find rows of a batch that were left on the host; without a batch, classes or other tensors."""
    if at is None and done.mixed in NUMPY:
        return NUMPY_OF_DEVICE.seen(done, 0)
    if at is None:
        return LABELS_NOT_MOVED.seen(done, 0, function=done.mixed)
    return NOT_MOVED.seen(done, at + 1, n=at + 1) if done.visits[at].left_behind else None


def _made(done: Pass) -> Difference | None:
    """Find an optimizer or a schedule that the function makes anew in each call."""
    kind = next((name for is_loss, name in done.made if not is_loss), None)
    return None if kind is None else MADE_IN_FUNCTION.seen(done, 0, kind=kind)


def _raised(done: Pass, error: BaseException) -> Difference:
    said = ": ".join(filter(None, [type(error).__name__, str(error).strip().partition("\n")[0]]))
    what = _("The call in mode {mode!r} raised {error}").format(mode=done.mode, error=said)
    if done.line is not None:
        at = _("line {n}: {text}") if done.line[1] else _("line {n}")
        what += f" ({at.format(n=done.line[0], text=done.line[1])})"
    hint = _("Fix that line; look at the shapes and types that it is given.")
    if isinstance(error, NameError):
        hint = _(
            'It may use criterion, optimizer and args, as in args["device"], and the names that its own file '
            "makes."
        )
    elif "does not require grad" in str(error):
        hint = _(
            "The loss is cut off from the weights: no detach(), .data, .item() or torch.no_grad() between "
            "net(x) and backward()."
        )
    elif isinstance(error, EndlessError):
        what = _("The call in mode {mode!r} takes batches without an end.").format(mode=done.mode)
        hint = _("One call is one epoch: one loop, for x, y in loader.")
    return Difference("raises", done.mode, done.epoch + 1, len(done.visits), what, "", hint)


def _fed(done: Pass, at: int) -> Difference | None:
    """What is wrong with the rows that the network was given."""
    batch = done.visits[at].batch
    after = done.visits[at + 1].batch if at + 1 < len(done.visits) else None
    if batch is None:
        return ROWS_CHANGED.seen(done, at + 1, n=at + 1)
    if after == batch:
        return CALLED_AGAIN.seen(done, at + 1, n=batch + 1)
    if batch < at:
        return LOADER_AGAIN.seen(done, at + 1, n=batch + 1, last=at)
    return None if batch == at else _partly(done, at)


def _partly(done: Pass, at: int) -> Difference:
    if not done.handed:
        return LOADER_UNUSED.seen(done, 0)
    if not done.visits:
        return NETWORK_UNUSED.seen(done, 0, n=done.handed)
    seen = len({visit.batch for visit in done.visits})
    rows = ROWS[done.mode]
    return LOADER_PARTLY.seen(done, at + 1, float(seen), float(STEPS), seen=seen, n=STEPS, rows=rows)


def _mode(done: Pass, visit: Visit, at: int, tried: Problem) -> Difference | None:
    training = done.mode == "train"
    wrong = [name for name, was in visit.modes.items() if was != training]
    if not wrong:
        return None
    step = done.epoch * STEPS + at
    yours, right = (
        loss_in_mode(tried, visit, done.mode, step, training=mode) for mode in (not training, training)
    )
    if training:
        what = _("In training, with batch {n}, {layers} worked in evaluation mode.")
        why = _("Then no unit is dropped, and batch norm uses its running statistics and never moves them.")
        hint = _('Begin with net.train() where mode == "train": the call before may have left it otherwise.')
    else:
        what = _("In test, with batch {n}, {layers} worked in training mode.")
        why = _(
            "Then units are dropped at random, and batch norm looks at the test rows and keeps their mean: "
            "the figure is another one each time, and the test has changed the network."
        )
        hint = _('Begin with net.eval() where mode is not "train".')
    numbers = _("The batch's loss is {yours:.5f} so, and {right:.5f} in the right mode.")
    message = what.format(n=at + 1, layers=_(" and ").join(wrong))
    message += " " + numbers.format(yours=yours, right=right)
    rule, where = "mode_train" if training else "mode_test", (done.mode, done.epoch + 1, at + 1)
    return Difference(rule, *where, message, why, hint, yours, right)


def _moved_in_test(done: Pass, at: int) -> Difference | None:
    before, after = done.visits[at].before, done.weights_after(at)
    place = farthest(before, after)
    if place is None:
        return None
    was, now = entry(before, place), entry(after, place)
    return MOVED_IN_TEST.seen(
        done, at + 1, now, was, n=at + 1, weight=written(before, place), was=was, now=now
    )


def _moved(done: Pass, at: int, tried: Problem, answer: Answer) -> Difference | None:
    """Compare the weights after the batch with the engine's; if they differ, find the cause."""
    visit, step = done.visits[at], done.epoch * STEPS + at
    after, right = done.weights_after(at), answer.states[step + 1]
    floats = [name for name, t in right.items() if t.is_floating_point()]
    if all(near(after[name], right[name], CLOSE[tried.dtype]) for name in floats):
        return None if visit.stepped else STEPPED_BY_HAND.seen(done, at + 1, n=step + 1)
    fresh = slope(tried, visit, step)
    used = {name: (visit.before[name] - after[name]) / LR for name in fresh}
    place = farthest(fresh, used) or (floats[0], 0)
    seen = _(
        "In training step {n} the weight {weight} moved as by a gradient of {used:.5f}; this batch's own "
        "gradient is {fresh:.5f}."
    ).format(n=step + 1, weight=written(fresh, place), used=entry(used, place), fresh=entry(fresh, place))
    rule, why, hint = cause(used, fresh, visit, tried, step, place)
    numbers = entry(after, place), entry(right, place)
    return Difference(rule, done.mode, done.epoch + 1, at + 1, seen, why, hint, *numbers)
