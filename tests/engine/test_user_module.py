"""Modules of the user's own: checked before training, seeded, equal to the plain loop."""

import pytest
import torch
from oracles import ARGUMENTS, plain_loop, sample
from test_equality import assert_same
from tests.conftest import refusal_of
from torch import nn
from torch.nn import functional as F

from treino.base.errors import TreinoError
from treino.engine import mlp, train

X, Y = sample(rows=24)


class Plain(nn.Module):
    def __init__(self, wide=5, out=3):
        super().__init__()
        self.first = nn.Linear(wide, 8)
        self.norm = nn.BatchNorm1d(8)
        self.out = nn.Linear(8, out)

    def forward(self, x):
        return self.out(self.norm(self.first(x)).relu())


class Chancy(nn.Module):
    """Dropout as a layer (used twice), as a function, and noise."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.drop = nn.Linear(5, 16), nn.Linear(16, 3), nn.Dropout(0.3)

    def forward(self, x):
        h = self.drop(F.dropout(self.drop(self.a(x).relu()), 0.2, self.training))
        return self.b(h + 0.1 * torch.randn_like(h) if self.training else h)


def finished(training):
    return training, torch.cat([tick.loss_SP for tick in training])


@pytest.mark.parametrize("optimizer", ["nesterov", "adamw"])
def test_with_batch_norm_it_is_the_plain_loop_bit_for_bit(optimizer):
    torch.manual_seed(0)
    net = Plain()
    arguments = {"steps": 20, "batch_size": 7, "lr": 0.01, **ARGUMENTS[optimizer]}
    training, loss_SP = finished(train((X, Y), net, **arguments))
    before = {name: t.clone() for name, t in net.state_dict().items()}
    losses = plain_loop(net, X, Y, F.cross_entropy, optimizer, steps=20, batch=7, lr=0.01)
    assert torch.equal(loss_SP[:, 0].double(), losses)
    for name, t in training.net().state_dict().items():
        assert torch.equal(t, net.state_dict()[name]), name
        assert not torch.equal(t, before[name]), name  # the network that was given was not touched
    assert training.engine == "module"


@pytest.mark.parametrize(
    "make", [Chancy, lambda: nn.Sequential(nn.Linear(5, 9), nn.Dropout(0.4), nn.Linear(9, 3))]
)
def test_its_chance_depends_on_seed_and_step_alone(make):
    torch.manual_seed(0)
    net = make()
    arguments = {"steps": 12, "batch_size": 7, "seeds": (4,)}
    whole, loss_SP = finished(train((X, Y), net, every=100, **arguments))
    torch.manual_seed(99)
    cut, other_SP = finished(train((X, Y), net, every=1, **arguments))
    assert torch.equal(loss_SP, other_SP)
    assert_same(whole, cut)
    first = train((X, Y), net, every=100, **arguments)
    first.advance(0.0)
    second = train((X, Y), net, every=100, **arguments)
    second.load(*first.save())
    assert_same(whole, finished(second)[0])
    other, _loss = finished(train((X, Y), net, **arguments | {"seeds": (5,)}))
    assert not torch.equal(other.state.population.params, whole.state.population.params)


def test_a_dropout_layer_that_is_used_twice_draws_twice():
    from treino.engine.user_module import replace_dropout

    net = nn.Sequential(nn.Dropout(0.5), nn.Identity())
    (drop,) = replace_dropout(net)
    net.train()
    drop.begin((12345, 678))
    one, two = net(torch.ones(64, 64)), net(torch.ones(64, 64))
    assert not torch.equal(one, two)
    assert set(one.unique().tolist()) == {0.0, 2.0}
    assert one.mean().item() == pytest.approx(1, abs=0.1)
    drop.begin((12345, 678))
    assert torch.equal(net(torch.ones(64, 64)), one)
    net.eval()
    assert torch.equal(net(torch.ones(4, 4)), torch.ones(4, 4))


def test_a_function_that_makes_it_gives_every_seed_its_own_start():
    crowd, loss_SP = finished(train((X, Y), Chancy, steps=12, batch_size=7, seeds=(1, 2, 3)))
    for member in range(3):
        alone, loss_S = finished(
            train((X, Y), Chancy, steps=12, batch_size=7, seeds=(member + 1,), data_seed=1)
        )
        assert torch.equal(loss_SP[:, member : member + 1], loss_S)
        assert_same(crowd, alone, slice(member, member + 1))
    assert len(loss_SP[0].unique()) == 3


def test_images_arrive_in_their_own_shape():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * 4 * 4, 2))
    x, y = torch.randn(12, 1, 6, 6), torch.arange(12) % 2
    training, loss_SP = finished(train((x, y), net, steps=6, batch_size=4, threads=1))
    assert loss_SP.isfinite().all()
    assert [row[:4] for row in training.layers] == [
        ("0", "Conv2d", "1 × 6 × 6", "2 × 4 × 4"),
        ("1", "ReLU", "2 × 4 × 4", "2 × 4 × 4"),
        ("2", "Flatten", "2 × 4 × 4", "32"),
        ("3", "Linear", "32", "2"),
    ]
    flat, _loss = finished(train((x, y), mlp(4), steps=6, batch_size=4))  # an MLP takes the same rows flat
    assert flat.layers[0][2] == "36"


def test_frozen_parameters_stay_and_shared_ones_are_one():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.out = nn.Linear(5, 5), nn.Linear(5, 5), nn.Linear(5, 3)
            self.b.weight = self.a.weight
            self.out.bias.requires_grad_(False)

        def forward(self, x):
            return self.out(self.b(self.a(x).tanh()).tanh())

    net = Tied()
    training, _loss = finished(train((X, Y), net, steps=9, batch_size=7, weight_decay=0.1))
    trained = training.net()
    assert torch.equal(trained.out.bias, net.out.bias)
    assert trained.a.weight is trained.b.weight
    assert not torch.equal(trained.a.weight, net.a.weight)
    assert training.parameters == 5 * 5 + 5 + 5 + 15 + 3


def test_lazy_layers_begin_by_the_seed_alone_and_in_company():
    def make():
        return nn.Sequential(nn.LazyLinear(6), nn.ReLU(), nn.LazyLinear(3))

    crowd, _loss = finished(train((X, Y), make, steps=5, seeds=(1, 2)))
    alone, _loss = finished(train((X, Y), make, steps=5, seeds=(2,), data_seed=1))
    assert_same(crowd, alone, slice(1, 2))
    assert not torch.equal(*crowd.state.population.params)


class Counts(Plain):
    """Keeps count of its calls, and writes into what it is given."""

    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls += 1
        return super().forward(x.mul_(2))


@pytest.mark.parametrize("batch", [7, None])
def test_rows_stay_what_they_were_whatever_a_network_writes_into_them(batch):
    net = Counts()
    data = ((X.clone(), Y), (X.clone(), Y))
    training, _loss = finished(train(data, net, steps=5, batch_size=batch, seeds=(0,)))
    for x, _y in data:
        assert torch.equal(x, X)
    assert torch.equal(training.setup.train.x, X)
    assert torch.equal(training.setup.validation.rows.x, X)


def test_probing_leaves_the_network_its_gradients_and_the_random_state_alone():
    net = Counts()
    net.first.weight.grad = torch.ones_like(net.first.weight)
    net.eval()
    state = torch.get_rng_state()
    training = train((X, Y), net)
    assert torch.equal(torch.get_rng_state(), state)
    assert not net.training
    assert net.first.weight.grad.eq(1).all()
    assert all(p.grad is None for name, p in net.named_parameters() if name != "first.weight")
    for name, t in training.net().state_dict().items():
        assert torch.equal(t, net.state_dict()[name]), name
    assert net.calls == 0


def test_an_index_that_is_too_large_is_found_before_training():
    class Names(nn.Module):
        def __init__(self):
            super().__init__()
            self.names = nn.Embedding(20, 3)

        def forward(self, x):
            return self.names(x[:, 0].long())

    rows = torch.arange(24.0)[torch.randperm(24, generator=torch.Generator().manual_seed(0))]
    with pytest.raises(TreinoError, match="Embedding") as refused:
        train((rows.unsqueeze(1), Y), Names())
    assert refused.value.rule == "net_forward"
    train((rows.unsqueeze(1).clamp(max=19), Y), Names())


# ---- what is refused


def all_frozen():
    net = Plain()
    for p in net.parameters():
        p.requires_grad_(False)
    return net


def layers_in_a_list():
    class Hidden(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Linear(5, 3)]

        def forward(self, x):
            return self.layers[0](x)

    return Hidden()


class Fails(Plain):
    def forward(self, x):
        return self.first(x) @ torch.zeros(4, 3)


def returns_a_tuple():
    net = Plain()
    net.forward = lambda x: (x, x)
    return net


def forward_of_another():
    net = Plain()
    net.forward = lambda x: Plain.forward(net, x)  # a copy of net would still ask net
    return net


class CutOff(Plain):
    def forward(self, x):
        return super().forward(x).detach()


class BreaksAutograd(Plain):
    def forward(self, x):
        z = super().forward(x).exp()
        return z.add_(1)


def no_constructor():
    raise SystemExit("no")


def needs_arguments(size):
    return Plain(size)


REFUSED = [
    (lambda: Plain(wide=4), "net_size", ["first", "in_features=4", "5 arrive"], "Linear(5"),
    (
        lambda: nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(9, 3)),
        "net_size",
        ["2", "8 arrive"],
        "Linear(8",
    ),
    (lambda: Plain(out=4), "net_output", ["[2, 4]", "[2, 3]"], "3 outputs"),
    (lambda: nn.Sequential(nn.Linear(5, 3), nn.Flatten(0)), "net_output", ["[6]"], "3 outputs"),
    (all_frozen, "net_frozen", ["Plain", "frozen", "requires_grad"], "requires_grad_(True)"),
    (layers_in_a_list, "net_no_parameters", ["Hidden"], "list hides"),
    (Fails, "net_forward", ["layer first (Linear)", "[2, 5]"], "[5]"),
    (returns_a_tuple, "net_output", ["tuple"], "[batch, 3]"),
    (forward_of_another, "net_detached", ["cut off"], "method"),
    (CutOff, "net_detached", ["cut off"], "detach"),
    (BreaksAutograd, "net_backward", ["inplace"], "relu_"),
]


@pytest.mark.parametrize(("make", "rule", "said", "hint"), REFUSED, ids=range(len(REFUSED)))
def test_a_network_that_does_not_fit_is_refused_with_the_number_to_write(make, rule, said, hint):
    refused = refusal_of(train, (X, Y), make())
    assert refused.rule == rule
    assert refused.status == 2
    for part in said:
        assert part in refused.message
    assert hint in refused.hint


def test_images_into_a_linear_layer_are_told_to_flatten():
    x, y = torch.randn(8, 1, 6, 6), torch.arange(8) % 2
    assert "flatten" in refusal_of(train, (x, y), nn.Sequential(nn.Linear(36, 2))).hint


@pytest.mark.parametrize(
    ("net", "arguments", "rule"),
    [
        (Plain, {"engine": "batched"}, "engine_net"),
        (Plain, {"init": "kaiming"}, "init_own"),
        (needs_arguments, {}, "net_fails"),
        (no_constructor, {}, "net_fails"),
        (lambda: 3, {}, "net_kind"),
        (3, {}, "net_type"),
        (Plain(), {"seeds": (1, 2)}, "seeds_own"),
        (mlp(4, batch_norm=True), {"engine": "batched"}, "engine_net"),
        (mlp(4, batch_norm=True), {"batch_size": 23}, "batch_norm_rows"),
    ],
)
def test_combinations_that_can_not_be_are_refused_with_the_reason(net, arguments, rule):
    assert refusal_of(train, (X, Y), net, **arguments).rule == rule


class FailsLater(Plain):
    """At the second of its updates."""

    def __init__(self):
        super().__init__()
        self.register_buffer("updates", torch.zeros(()))

    def forward(self, x):
        self.updates += self.training
        if self.updates > 1:
            raise ValueError("no more")
        return super().forward(x)


def test_a_network_that_fails_while_training_says_where():
    training = train((X, Y), FailsLater(), batch_size=12, epochs=2)
    with pytest.raises(TreinoError) as failed:
        list(training)
    assert failed.value.rule == "net_training"
    assert "update 2" in failed.value.message
    assert "batch norm" in failed.value.hint


@pytest.mark.parametrize(
    ("rows", "size", "hint"),
    [(1, 32, "two rows."), (9, 4, "batch_size=5."), (13, 3, "batch_size=5."), (21, 4, "batch_size=6.")],
)
@pytest.mark.parametrize("own", [True, False])
def test_a_batch_of_one_row_is_refused_with_a_size_that_leaves_none_alone(rows, size, hint, own):
    """13 rows in batches of 4, and 21 in batches of 5, would leave one alone again."""
    y = 2 - torch.arange(rows) % 3
    net = (
        nn.Sequential(nn.Linear(5, 4), nn.BatchNorm1d(4), nn.Linear(4, 3)) if own else mlp(4, batch_norm=True)
    )
    refused = refusal_of(train, (X[:rows], y), net, batch_size=size, steps=1)
    assert refused.rule == ("batch_of_one" if own else "batch_norm_rows")
    assert refused.hint.endswith(hint)
