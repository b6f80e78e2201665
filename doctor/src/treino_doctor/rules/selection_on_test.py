"""A choice based on test metrics: likely, judging by the source."""

from treino_doctor.base.words import _
from treino_doctor.record.row_log import Evaluated, RowsEvaluated
from treino_doctor.rules.choices import TEST, TRAIN, VALIDATION, decides, naming_line, renamed_line
from treino_doctor.rules.rule import SPLIT, Evidence, Faults, Log, Rule, Site, by_line, script

LEAST = 10  # minimum number of rows of an evaluation
LOOKS = 2  # minimum number of evaluations of the same rows, and of one line if there are no more
LEARNED = 0.5  # maximum share of rows trained on
AGAIN = 2  # minimum number of times that each row came, on average: else each look has rows of its own


def decide(log: Log) -> Faults:
    """New rows were evaluated repeatedly, no other rows are a final test, and the source picks the best."""
    most = {(v.net, v.stack): v.most for v in log.of(Evaluated)}
    every = [e for e in log.of(RowsEvaluated) if e.rows >= LEAST and not e.made]
    every = [e for e in every if e.given >= AGAIN * e.rows and not _are_states(e, most)]
    held_out = [e for e in every if e.trained <= LEARNED * e.rows]
    for digest, own in by_line(held_out, lambda e: e.digest).items():
        looks = len({turn for e in own for turn in e.looks})  # several nets at one turn are one look
        if looks < LOOKS:
            continue
        chosen = next((e for e in own if _is_test(e) and any(map(decides, e.stack))), None)
        again = chosen is not None and (looks > LOOKS or len({*chosen.looks}) == LOOKS)
        if chosen is None or not again or any(_judges(o, chosen) for o in held_out if o.digest != digest):
            continue
        what = _("the same {rows} test rows").format(rows=chosen.rows)
        numbers = {"evaluations": looks, "what": what, "rows": chosen.rows}
        at = renamed_line(chosen.stack, chosen.loader) if naming_line(chosen.stack, VALIDATION) else None
        place = next((s for s in chosen.stack if decides(s)), None)
        at = at or naming_line(chosen.stack, TEST) or place
        yield Evidence(chosen.site, numbers, at=at, stack=chosen.stack)
        return


def _are_states(e: RowsEvaluated, most: dict[tuple[int, tuple[Site, ...]], int]) -> bool:
    """Whether these are an agent's states: met one by one, from no loader, and judged by no labels."""
    alone = most.get((e.net, e.stack)) == 1 and e.loader is None
    return alone and not (e.scored or e.labels)


def _is_test(e: RowsEvaluated) -> bool:
    """Whether the source calls these rows a test set, and nothing else, unless they are passed on whole."""
    alone = naming_line(e.stack, TEST) is not None and naming_line(e.stack, VALIDATION) is None
    return alone or renamed_line(e.stack, e.loader) is not None


def _judges(other: RowsEvaluated, chosen: RowsEvaluated) -> bool:
    """Whether the rows ``other`` are evaluated at the end and not used for the choice."""
    last = other.looks[-1] >= chosen.looks[-1]
    return last and naming_line(other.stack, VALIDATION) is None and naming_line(other.stack, TRAIN) is None


RULE = Rule(
    group="settings",
    severity="risk",
    certain=False,
    message="The best was chosen by {evaluations} or more looks at {what}, and no other rows judge it.",
    why="""The best of many looks is lucky on those rows: its figure there is too good, and nothing is left
    to measure by.""",
    fix="Choose on validation rows; look at the test rows once, at the end.",
    safety="The figure of the chosen network falls to what it is.",
    limits="""Likely only, as it goes by names: the program has to call the rows a test's. A choice that an
    object of another file makes is not seen.""",
    wrong=SPLIT
    + "best_accuracy = 0.0\n"
    + script(loss="F.cross_entropy(net(x_train), y_train)")
    + """\
    with torch.no_grad():
        test_accuracy = (net(x_test).argmax(1) == y_test).float().mean().item()
    if test_accuracy > best_accuracy:
        best_accuracy, best = test_accuracy, {k: v.clone() for k, v in net.state_dict().items()}
""",
    mend={
        "x_test, y_test": "x_val, y_val",
        "test_accuracy = (net(x_test).argmax(1) == y_test)": "val_accuracy = (net(x_val).argmax(1) == y_val)",
        "if test_accuracy": "if val_accuracy",
        "best = test_accuracy": "best = val_accuracy",
    },
)
