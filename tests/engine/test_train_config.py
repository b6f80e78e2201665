"""The settings of a training: one table; impossible ones are refused before the first step, with a hint."""

import inspect
import json
from typing import get_type_hints

import numpy as np
import pytest
import torch
from oracles import sample
from pydantic import ValidationError
from tests.conftest import refusal_of

from treino.base.errors import TreinoError
from treino.base.words import interface
from treino.engine import INITS, config_of, mlp, train
from treino.engine.devices import resolve_device
from treino.engine.kernels.lanes_library import libraries, why_missing
from treino.engine.rng import fork_rng
from treino.settings.spec import OF_ENGINE, Settings, read_settings

X, Y = sample()
DATA = ((X, Y), (X[:9], Y[:9]))
NUMBERS = ((X, X[:, :1]), (X[:9], X[:9, :1]))

REFUSED = [
    ({"optimizer": "adm"}, "optimizer_unknown", "adam"),
    ({"loss": "crossentropy"}, "loss_unknown", "cross_entropy"),
    ({"metric": "acuracy"}, "metric_unknown", "accuracy"),
    ({"fault": "missing_zero_grd"}, "fault_unknown", "missing_zero_grad"),
    ({"shuffle": "always"}, "shuffle_choice", "each"),
    ({"keep": "worst"}, "keep_choice", "best"),
    ({"lr": -0.1}, "lr_range", "3e-3"),
    ({"lr": float("nan")}, "lr_range", "3e-3"),
    ({"lr": "1-3"}, "lr_type", "1e-3"),
    ({"lr": [0.1, 0.2], "seeds": (0, 1, 2)}, "lr_count", "each member"),
    ({"momentum": 1.5, "optimizer": "sgd"}, "momentum_range", ""),
    ({"betas": (1.0, 0.9)}, "betas_range", "0.9"),
    ({"eps": 0.0}, "eps_range", "root"),
    ({"label_smoothing": 1.0}, "label_smoothing_range", ""),
    ({"nesterov": True, "optimizer": "sgd"}, "nesterov_without_momentum", "momentum=0.9"),
    ({"epochs": 3, "steps": 9}, "epochs_and_steps", "one"),
    ({"epochs": 0}, "epochs_range", ""),
    ({"steps": -1}, "steps_range", ""),
    ({"batch_size": 0}, "batch_size_range", ""),
    ({"lrr": 0.1}, "unknown_setting", "lr"),
    ({"warmup": -1}, "warmup_range", ""),
    ({"warmup": 1.5}, "warmup_type", ""),
    ({"warmup": 6, "steps": 5}, "warmup_range", "fewer"),
    ({"warmup": 600, "epochs": 1}, "warmup_range", "fewer"),
    ({"warmup": [0, 600], "epochs": 1, "seeds": (0, 1)}, "warmup_range", "fewer"),
    ({"warmup": [1, 2, 3], "seeds": (0, 1)}, "warmup_count", ""),
    ({"schedule": ["cosine", "cosin"], "seeds": (0, 1)}, "schedule_unknown", "cosine"),
    ({"schedule": 3}, "schedule_type", ""),
    ({"every": 0}, "every_range", ""),
    ({"seeds": ()}, "seeds_empty", ""),
    ({"seeds": (-1,)}, "seed_range", ""),
    ({"threads": 0}, "threads_range", ""),
    ({"device": "tpu"}, "device_choice", ""),
    ({"loss": "mse"}, "loss_task", "cross_entropy"),
    ({"loss": "bce"}, "bce_classes", "cross_entropy"),
    ({"metric": "rmse"}, "metric_task", "accuracy"),
    ({"class_weights": (1.0, 2.0)}, "class_weights_count", "each class"),
    ({"class_weights": (1.0, 2.0, 0.0)}, "class_weights_range", "each class"),
    ({"class_weights": "even"}, "class_weights_type", "balanced"),
    ({"betas": 0.9}, "betas_type", "0.999"),
    ({"seeds": "one"}, "seed_type", ""),
    ({"data_seed": "x"}, "data_seed_type", ""),
    ({"fault": 3}, "fault_type", "missing_zero_grad"),
    ({"engine": []}, "engine_type", "kernel"),
    ({"dtype": "x"}, "dtype_unknown", "float32"),
    ({"lr": True}, "lr_type", "1"),
    ({"nesterov": "maybe"}, "nesterov_type", "momentum"),
    ({"nesterov": True}, "momentum_with_adam", "sgd"),
    ({"momentum": 0.9}, "momentum_with_adam", "betas=(0.9, 0.999)"),
    ({"betas": (0.8, 0.999), "optimizer": "sgd"}, "betas_with_sgd", "momentum=0.8"),
]


@pytest.mark.parametrize(
    ("arguments", "rule", "hint"), REFUSED, ids=[f"{next(iter(a))}-{r}" for a, r, _h in REFUSED]
)
def test_bad_arguments_are_refused(arguments, rule, hint):
    refused = refusal_of(train, DATA, mlp(4), **arguments)
    assert refused.rule == rule
    assert refused.status == 2
    assert refused.message
    assert hint in refused.hint


@pytest.mark.parametrize(
    "arguments",
    [
        {"seeds": np.int64(3)},
        {"seeds": np.arange(2)},
        {"seeds": torch.arange(2)},
        {"batch_size": np.int64(4), "every": np.int32(5), "data_seed": np.int64(1), "threads": np.int8(1)},
        {"lr": np.float32(0.1), "label_smoothing": np.float32(0.1)},
        {"lr": np.array([0.1, 0.2]), "seeds": (0, 1)},
        {"fault": None},
        {"momentum": [0.0, 0.9], "optimizer": "sgd", "seeds": (0, 1)},
        {"momentum": [0.0, 0.0], "betas": ([0.8, 0.9], 0.999), "seeds": (0, 1)},
        {"betas": (0.9, 0.999), "eps": 1e-8, "optimizer": "sgd"},
    ],
)
def test_numbers_of_numpy_and_one_for_each_member_are_taken(arguments):
    training = train(DATA, mlp(np.int64(4)), steps=2, **arguments)
    training.advance(0.0)
    json.dumps(training.save()[1])


def test_balanced_weights_are_scikit_learns():
    from sklearn.utils.class_weight import compute_class_weight

    y = torch.tensor([0] * 12 + [1] * 8 + [2] * 4)
    wanted = compute_class_weight("balanced", classes=np.arange(3), y=y.numpy())
    training = train((X, y), mlp(4), class_weights="balanced")
    assert training.loss_function.class_weights == pytest.approx(tuple(wanted))


@pytest.mark.parametrize(
    ("data", "arguments", "rule"),
    [
        (NUMBERS, {"loss": "cross_entropy"}, "loss_task"),
        (NUMBERS, {"label_smoothing": 0.1}, "label_smoothing_loss"),
        (NUMBERS, {"class_weights": (1.0,)}, "class_weights_loss"),
        (NUMBERS, {"fault": "softmax_before_cross_entropy"}, "softmax_before_cross_entropy_loss"),
        (NUMBERS, {"metric": "accuracy"}, "metric_task"),
        ((X, Y % 2), {"loss": "bce", "label_smoothing": 0.1}, "label_smoothing_loss"),
        ((X, Y % 2), {"loss": "bce", "class_weights": (1.0, 2.0)}, "class_weights_loss"),
        ((X, Y), {"patience": 3}, "no_validation_rows"),
        (((X, Y % 2), (X, Y * 0)), {"metric": "auc"}, "auc_one_class"),
        *(
            (wrong, {}, "data_shape")
            for wrong in ((X, Y[:3]), (X[:, 0], Y), (X, Y - 1), ((X, Y), (X[:, :2], Y)))
        ),
        *((wrong, {}, "data_type") for wrong in (3, (X, Y, Y))),
        ((X[:0], Y[:0]), {}, "no_training_rows"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_fit_the_data_is_refused(data, arguments, rule):
    assert refusal_of(train, data, mlp(4), **arguments).rule == rule


def test_a_network_larger_than_memory_is_refused_before_it_is_built():
    refused = refusal_of(train, DATA, mlp(1_000_000, 1_000_000))
    assert refused.rule == "net_too_large"
    assert "GB" in refused.message


@pytest.mark.parametrize(
    ("hidden", "described", "rule"),
    [
        *(((units,), {}, "hidden_range") for units in (0, -3, 10**9)),
        *(((units,), {}, "hidden_type") for units in (2.5, True)),
        *(((4,), {"dropout": rate}, "dropout_range") for rate in (1.0, -0.1, (0.1, 2.0))),
        ((4,), {"dropout": "much"}, "dropout_type"),
        ((4,), {"dropout": None}, "dropout_empty"),
        ((4,), {"batch_norm": "perhaps"}, "batch_norm_type"),
        *(((4,), {"activation": name}, "activation_unknown") for name in ([], "rellu")),
    ],
    ids=str,
)
def test_networks_that_can_not_be_built_are_refused(hidden, described, rule):
    refused = refusal_of(mlp, *hidden, **described)
    assert refused.rule == rule
    assert "rellu" not in described.values() or "'relu'" in refused.hint


def test_where_lanes_is_not_built_one_line_says_why(tmp_path, monkeypatch):
    missing = tmp_path / "_lanes.so"
    assert libraries(missing) == ()
    assert "compiler" in why_missing(missing)
    missing.write_bytes(b"no library")
    assert "loaded" in why_missing(missing)
    monkeypatch.setattr("treino.engine.kernels.lanes.why_missing", lambda: why_missing(tmp_path / "none"))
    assert train(sample(), mlp(3)).engine == "batched"
    assert "compiler" in str(refusal_of(train, sample(), mlp(3), engine="lanes"))


@pytest.mark.parametrize("init", list(INITS))
def test_initialisation_is_the_same_for_every_kernel_and_depends_on_the_seed(init):
    def weights(engine, seed):
        return (
            train((X, Y), mlp(40, 30), init=init, engine=engine, seeds=(3, seed), steps=1).net(1).state_dict()
        )

    one = weights("module", 5)
    assert all(torch.equal(t, one[name]) for name, t in weights("batched", 5).items())
    assert init == "zeros" or not torch.equal(weights("module", 6)["0.weight"], one["0.weight"])
    W = one["2.weight"]
    largest = {
        "default": 40**-0.5,
        "kaiming": (6 / (1.0001 * 40)) ** 0.5,
        "xavier": (6 / 70) ** 0.5,
        "zeros": 0.0,
    }
    if init in largest:
        assert W.abs().max() <= largest[init] * 1.001
        assert W.abs().max() >= largest[init] * 0.95
    else:
        torch.testing.assert_close(W @ W.T, torch.eye(30))
    assert (one["2.bias"].abs().max() > 0) == (init == "default")


# ---- the table


def test_the_keywords_of_train_are_those_of_the_table_of_settings():
    parameters = inspect.signature(train).parameters
    assert list(parameters)[:2] == ["data", "net"]
    keywords = {n: p for n, p in parameters.items() if p.kind is inspect.Parameter.KEYWORD_ONLY}
    assert set(keywords) == {*OF_ENGINE, "seeds", "every", "dtype", "bags"}
    types = get_type_hints(Settings)
    for name in OF_ENGINE:
        assert keywords[name].annotation == types[name]
        assert keywords[name].default == ("cpu" if name == "device" else Settings.model_fields[name].default)


def test_a_value_for_each_member_is_a_setting_of_it():
    each = {"lr": np.array([0.25, 0.5]), "seeds": torch.arange(2), "clip": [1, 2]}
    config = train(DATA, mlp(4), fault=None, **each).config
    assert [(s.seed, s.lr, s.clip) for s in config.members] == [(0, 0.25, 1.0), (1, 0.5, 2.0)]
    assert config.shared.batch_size == 32, "nothing is left open"
    assert config.device == torch.device("cpu")
    with pytest.raises(ValidationError):
        config.shared.lr = 0.1


@pytest.mark.parametrize(
    ("settings", "python", "command_line"),
    [
        (
            {"momentum": 0.9},
            "Use optimizer='sgd', or betas=(0.9, 0.999).",
            "Use --optimizer sgd, or --betas 0.9,0.999.",
        ),
        ({"patience": 5}, "patience=5 needs validation rows", "--patience 5 needs validation rows"),
    ],
)
def test_settings_are_named_as_the_reader_types_them(settings, python, command_line):
    for kind, wanted in (("keyword", python), ("flag", command_line)):
        with interface(kind), pytest.raises(TreinoError) as refused:
            train((X, Y), mlp(4), **settings)
        assert wanted in str(refused.value)


# ---- the device


@pytest.mark.parametrize(
    ("cuda", "mps", "fastest"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")]
)
def test_auto_is_the_fastest_device_that_is_there(monkeypatch, cuda, mps, fastest):
    monkeypatch.setattr("torch.cuda.is_available", lambda: cuda)
    monkeypatch.setattr("torch.cuda.device_count", lambda: int(cuda))
    monkeypatch.setattr("torch.backends.mps.is_available", lambda: mps)
    assert resolve_device("auto").type == fastest
    assert resolve_device("auto", torch.float64).type == ("cuda" if cuda else "cpu"), "Metal has no doubles"
    assert config_of([read_settings({"device": "auto"})]).device.type == fastest
    if mps:
        refused = refusal_of(config_of, [read_settings({"device": "mps"})], dtype=torch.float64)
        assert refused.rule == "device_dtype"


def test_the_callers_random_state_on_an_accelerator_is_put_back(monkeypatch):
    """Of Metal, of which torch's own ``fork_rng`` knows nothing."""
    state = {"mps": torch.arange(3)}
    monkeypatch.setattr("torch.mps.get_rng_state", lambda: state["mps"])
    monkeypatch.setattr("torch.mps.set_rng_state", lambda to: state.update(mps=to))
    monkeypatch.setattr("torch.mps.manual_seed", lambda seed: state.update(mps=torch.tensor(seed)))
    with fork_rng(5, torch.device("mps")):
        assert state["mps"] == 5
    assert state["mps"].tolist() == [0, 1, 2]
