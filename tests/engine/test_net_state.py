"""Buffers and attributes of a user's network are kept, or the network is refused before training."""

import warnings

import pytest
import torch
from tests.conftest import refusal_of
from torch import nn
from torch.nn.utils import parametrizations, prune

from treino.base.errors import TreinoError
from treino.engine import train
from treino.engine.net_state import left_out, put_state, whole_state
from treino.engine.user_module import module_copy

X = torch.randn(24, 4, generator=torch.Generator().manual_seed(0))
Y = torch.arange(24) % 3


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.out = nn.Linear(4, 8), nn.Linear(8, 3)

    def forward(self, x):
        return self.out(self.a(x).relu())


def having(**buffers):
    """A network with these buffers, which it looks at."""
    net = Plain()
    for name, value in buffers.items():
        net.register_buffer(name, value)
    return net


class Doing(Plain):
    """In training it does ``do(self, x)`` first."""

    def __init__(self, do, **buffers):
        super().__init__()
        self.do = do
        for name, value in buffers.items():
            self.register_buffer(name, value)

    def forward(self, x):
        if self.training:
            self.do(self, x)
        return super().forward(x)


class Telling(Plain):
    def __init__(self, state):
        super().__init__()
        self.state = state

    def get_extra_state(self):
        return self.state

    def set_extra_state(self, state):
        self.state = state


def named(name):
    net = Plain()
    net.register_parameter(name, nn.Parameter(torch.zeros(3)))
    return net


def grows(net, x):
    net.seen = torch.cat([net.seen, x[:1].detach()])


def becomes_a_float(net, x):
    net.seen = net.seen + x[0].detach()


def comes_into_being(net, x):
    net.seen = x[0].detach()


def makes_a_parameter(net, x):
    net.late = nn.Parameter(torch.zeros(3))


def freezes(net, x):
    net.a.requires_grad_(False)


REFUSED = {
    "a dict beside the tensors": (lambda: Telling({"seen": 1}), "net_extra_state", "_extra_state"),
    "sparse": (lambda: having(adjacent=torch.eye(4).to_sparse()), "net_tensor", "adjacent"),
    "complex": (lambda: having(turn=torch.ones(2, dtype=torch.complex64)), "net_tensor", "turn"),
    "without values": (lambda: having(seen=torch.zeros(2, device="meta")), "net_tensor", "seen"),
    "too large": (lambda: having(code=torch.tensor([2**53 + 1])), "net_large_numbers", "code"),
    "reserved": (lambda: named("__metadata__"), "net_name", "__metadata__"),
    "grows": (lambda: Doing(grows, seen=torch.zeros(0, 4)), "net_forms", "seen"),
    "another type": (
        lambda: Doing(becomes_a_float, seen=torch.zeros(4, dtype=torch.int64)),
        "net_forms",
        "float32",
    ),
    "none at first": (lambda: Doing(comes_into_being, seen=None), "net_forms", "not there"),
    "a parameter made in forward": (lambda: Doing(makes_a_parameter), "net_forms", "late"),
    "frozen in forward": (lambda: Doing(freezes), "net_forms", "a.weight"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_state_that_can_not_be_kept_is_refused_before_the_first_step(case):
    make, rule, said = REFUSED[case]
    for net in (make, make()):
        refused = refusal_of(train, (X, Y), net)
        assert (refused.rule, refused.status) == (rule, 2)
        assert said in refused.message


class Unfreezes(Plain):
    def __init__(self):
        super().__init__()
        self.a.requires_grad_(False)
        self.register_buffer("passes", torch.zeros((), dtype=torch.int64))

    def forward(self, x):
        self.passes += self.training
        self.a.requires_grad_(bool(self.passes > 2))
        return super().forward(x)


@pytest.mark.slow
def test_what_changes_its_form_later_is_said_then():
    training = train((X, Y), Unfreezes(), epochs=9, batch_size=24)
    training.advance(None, until=2)
    with pytest.raises(TreinoError, match=r"a\.weight") as refused:
        training.advance(None, until=4)
    assert refused.value.rule == "net_forms"
    assert training.step == 2


def weight_normed():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch names its successor
        return nn.Sequential(nn.utils.weight_norm(nn.Linear(4, 8)), nn.ReLU(), nn.Linear(8, 3))


def pruned():
    net = Plain()
    prune.random_unstructured(net.a, "weight", 0.3)
    return net


def remembering():
    net = Plain()
    net.last = net.a(X)
    return net


COPIED = {
    "weight_norm": weight_normed,
    "pruned": pruned,
    "a result of a pass": remembering,
    "lazy batch norm": lambda: nn.Sequential(nn.LazyLinear(8), nn.LazyBatchNorm1d(), nn.LazyLinear(3)),
    "spectral_norm": lambda: nn.Sequential(parametrizations.spectral_norm(nn.Linear(4, 8)), nn.Linear(8, 3)),
}


@pytest.mark.parametrize("case", COPIED)
def test_what_torch_does_not_copy_is_trained(case):
    for net in (COPIED[case], COPIED[case]()):
        training = train((X, Y), net, epochs=2, batch_size=8)
        for tick in training:
            assert tick.loss_SP.isfinite().all()
        module = training.net()
        again = module_copy(COPIED[case]())
        put_state(again, whole_state(module))
        assert torch.equal(again.eval()(X), module(X))


class Table(Plain):
    def __init__(self):
        super().__init__()
        self.inner = nn.Module()
        self.inner.register_buffer("kept", torch.zeros(2))
        self.inner.register_buffer("table", torch.rand(3), persistent=False)
        self.register_buffer("nothing", None, persistent=False)


def test_buffers_outside_of_the_state_dict_are_put_by_their_names():
    one, other = Table(), Table()
    assert list(left_out(one)) == ["inner.table"]
    put_state(other, whole_state(one))
    for name, tensor in whole_state(one).items():
        assert torch.equal(tensor, whole_state(other)[name]), name
    put_state(other, one.state_dict())  # of a time that did not keep them
    with pytest.raises(ValueError, match=r"inner\.table"):
        put_state(other, whole_state(one) | {"inner.table": torch.zeros(4)})
    with pytest.raises(ValueError, match="strange"):
        put_state(other, whole_state(one) | {"strange": torch.zeros(4)})
    with pytest.raises(ValueError, match=r"a\.weight"):
        put_state(other, {name: t for name, t in whole_state(one).items() if name != "a.weight"})


@pytest.mark.parametrize("layer", [nn.Embedding, nn.EmbeddingBag])
def test_a_sparse_embedding_is_trained_as_a_dense_one(layer):
    rows, trained = torch.randint(0, 9, (24, 4), generator=torch.Generator().manual_seed(1)).float(), []

    class Words(nn.Module):
        def __init__(self, sparse):
            super().__init__()
            torch.manual_seed(0)
            self.words, self.out = layer(9, 5, sparse=sparse), nn.LazyLinear(3)

        def forward(self, x):
            return self.out(self.words(x.long()).flatten(1))

    for sparse in (False, True):
        training = train((rows, Y), Words(sparse), epochs=3, batch_size=8)
        list(training)
        trained.append(training.net().words.weight)
    assert torch.equal(*trained)
