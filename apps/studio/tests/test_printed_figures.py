"""What is read from the lines that scripts print: what they say, and nothing that they don't."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from treino_studio.script.printed_figures import NAMES, Count, PrintedFigures, words_of

Said = dict[str, float]


def said(*lines: str) -> Said:
    """The figures in lines of one stream, by name and split, the last ones."""
    reader, found = PrintedFigures(), {}
    for line in lines:
        for figure in reader.read(line).figures:
            found[f"{figure.name} {figure.split or '?'}"] = pytest.approx(figure.value, rel=1e-12)
    return found


LINES: list[tuple[str, Said]] = [
    (
        "epoch 3: train loss 0.41 | val_loss=0.38, acc 91.2%",
        {"loss train": 0.41, "loss validation": 0.38, "accuracy validation": 0.912},
    ),
    ("Train Epoch: 1 [640/60000 (1%)]\tLoss: 2.300000", {"loss train": 2.3}),
    (
        "Test set: Average loss: 0.0487, Accuracy: 9847/10000 (98%)",
        {"loss test": 0.0487, "accuracy test": 0.9847},
    ),
    ("Accuracy of the network on the 10000 test images: 55 %", {"accuracy test": 0.55}),
    (
        "Epoch 3/10 - loss: 0.41 - accuracy: 0.91 - val_loss: 0.38 - val_accuracy: 0.90",
        {"loss train": 0.41, "accuracy train": 0.91, "loss validation": 0.38, "accuracy validation": 0.9},
    ),
    (
        "{'eval_loss': 0.38, 'eval_accuracy': 0.9, 'epoch': 1.0}",
        {"loss validation": 0.38, "accuracy validation": 0.9},
    ),
    ('INFO:root:{"val_loss": 3.2e-1}', {"loss validation": 0.32}),
    (
        "época 3 de 10: perda de treino 0,41; perda de validação 0,38; acurácia 91,2%",
        {"loss train": 0.41, "loss validation": 0.38, "accuracy ?": 0.912},
    ),
    (
        "Época 2/5 | perda (treino): 0.41 | perda (validação): 0.38",
        {"loss train": 0.41, "loss validation": 0.38},
    ),
    ("acurácia na validação: 0,93", {"accuracy validation": 0.93}),
    ("Epoch 3:  45%|####  | 45/100 [00:12<00:15,  3.6it/s, val_acc=0.9]", {"accuracy validation": 0.9}),
    ("\r 10%\r 20% val_loss=0.5", {"loss validation": 0.5}),
    ("val acc: 93.2, train acc: 95.1", {"accuracy validation": 0.932, "accuracy train": 0.951}),
    (
        "Epoch 1 | Train: loss 0.3 acc 0.5 | Val: loss 0.4 acc 0.6",
        {"loss train": 0.3, "accuracy train": 0.5, "loss validation": 0.4, "accuracy validation": 0.6},
    ),
    ("validation loss is -1.5e-3", {"loss validation": -0.0015}),
]
SILENT = [
    "Accuracy for class: plane is 79.3 %",
    "best val loss 0.31 (epoch 7)",
    "val_loss improved from 0.41 to 0.38",
    "val_aux_loss 0.4, val loss scale 1024",
    "train/val loss: 0.41/0.38",
    "val loss weight=0.1",
    "val_loss=mse lr=0.1",
    "val_top5_acc 0.99, val Acc@5 99.1",
    "early stopping: val_loss 0.4",
    "val loss at 12:30:01",
    "validation loss: nan",
    "val acc 250",
    "val loss 1,234",
    '    raise ValueError(f"val_loss = {loss}")',
    "validation accuracy took 3.1s",
    "Namespace(val_split=0.2, loss='ce', acc_every=10)",
    "{'val_loss': None, 'loss_weight': 0.3}",
    "balanced val accuracy of class 3",
]


@pytest.mark.parametrize(("line", "figures"), LINES)
def test_figures_are_read_as_the_line_says_them(line: str, figures: Said) -> None:
    assert said(line) == figures


@pytest.mark.parametrize("line", SILENT)
def test_what_is_in_doubt_is_no_figure(line: str) -> None:
    assert said(line) == {}


def test_a_table_is_read_by_its_head() -> None:
    rows = ["| epoch | train loss | valid loss | accuracy % |", "|---|---|---|---|", "| 1 | 0.5 | 0.4 | 91 |"]
    expected = {"loss train": 0.5, "loss validation": 0.4, "accuracy ?": 0.91}
    assert said(*rows) == expected
    assert said("epoch  train_loss  val_loss  acc", "0      0.7  0.6  0.8", "1   0.5  0.4  0.91") == expected
    assert said("epoch,train_loss,val_loss,acc", "1,0.5,0.4,0.91") == expected
    assert said("epoch  train_loss  val_loss  acc", "and now 3 words", "12 files of 3 kinds") == {}


def test_accuracies_in_percent_stay_so() -> None:
    assert said("val acc 93.2", "val acc 0.7") == {"accuracy validation": 0.007}


def test_epochs_and_steps_are_counted() -> None:
    for line, epoch, step in (
        ("Epoch [3/10], Step [100/600], Loss: 0.2", Count(3, 10), Count(100, 600)),
        ("época 3 de 10", Count(3, 10), None), ("epoch 4: 45%", Count(4, None), None),
        ("passo 7/20", None, Count(7, 20)), ("step 12 of 9", None, Count(12, None)),
        ("stepwise 3, epochs=10", None, None),
    ):  # fmt: skip
        read = PrintedFigures().read(line)
        assert (read.epoch, read.step) == (epoch, step), line


SPLITS = {"train": "train", "val": "validation", "validação": "validation", "test": "test", "treino": "train"}
FORMS = (
    "{split} {name}: {value}",
    "{split}_{name}={value}",
    "{split}/{name} = {value}",
    "{name} ({split}): {value}",
)


@given(
    st.sampled_from([*SPLITS]), st.sampled_from(["loss", "perda"]), st.floats(0.001, 50), st.integers(1, 6),
    st.sampled_from(FORMS),
)  # fmt: skip
def test_what_is_printed_comes_back_with_its_last_digit(
    split: str, name: str, value: float, places: int, form: str
) -> None:
    text = f"{value:.{places}f}"
    (figure,) = PrintedFigures().read(f"epoch 7, {form.format(split=split, name=name, value=text)}").figures
    assert (figure.name, figure.split) == ("loss", SPLITS[split])
    assert figure.value == float(text)
    assert figure.unit == pytest.approx(10.0**-places)


@given(st.dictionaries(st.sampled_from(["val_loss", "test_acc", "lr", "note"]), st.floats(0, 1), min_size=1))
def test_a_line_of_json_says_its_keys(values: dict[str, float]) -> None:
    expected = {k: v for k, v in values.items() if k in ("val_loss", "test_acc")}
    names = {"val_loss": "loss validation", "test_acc": "accuracy test"}
    assert said(json.dumps(values)) == {names[k]: pytest.approx(v) for k, v in expected.items()}


@given(st.text(max_size=300))
def test_no_line_breaks_the_reader_or_has_figures_without_a_name(line: str) -> None:
    figures = PrintedFigures().read(line).figures
    assert not figures or any(word in NAMES for word in words_of(line))
