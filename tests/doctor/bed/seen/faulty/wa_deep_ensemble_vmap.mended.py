# expect: nothing
# Deep ensemble for 1-d regression with torch.func: all members are trained in one vmap call.
import copy
from dataclasses import dataclass, field

import torch
from torch import nn
from torch.func import functional_call, grad_and_value, stack_module_state, vmap


@dataclass
class OptimSpec:
    lr: float = 5e-3
    betas: tuple = (0.9, 0.98)


@dataclass
class Setup:
    members: int = 5
    width: int = 32
    steps: int = 400
    batch: int = 32
    seed: int = 2
    optim: OptimSpec = field(default_factory=OptimSpec)


def make_member(width):
    return nn.Sequential(
        nn.Linear(1, width), nn.Tanh(),
        nn.Linear(width, width), nn.Tanh(),
        nn.Linear(width, 1),
    )


def toy_problem(n, gen):
    x = 4 * torch.rand(n, 1, generator=gen) - 2
    y = torch.sin(2.5 * x) + 0.3 * x + 0.1 * torch.randn(n, 1, generator=gen)
    return x, y


class Ensemble:
    def __init__(self, setup):
        nets = [make_member(setup.width) for _ in range(setup.members)]
        stacked, self.buffers = stack_module_state(nets)
        self.params = {k: v.detach().clone().requires_grad_() for k, v in stacked.items()}
        self.skeleton = copy.deepcopy(nets[0]).to("meta")
        self.opt = torch.optim.Adam(
            self.params.values(), lr=setup.optim.lr, betas=setup.optim.betas)
        self._grads = vmap(grad_and_value(self._member_loss), in_dims=(0, 0, 0, 0))

    def _apply(self, params, buffers, x):
        return functional_call(self.skeleton, (params, buffers), (x,))

    def _member_loss(self, params, buffers, x, y):
        return (self._apply(params, buffers, x) - y).square().mean()

    def step(self, x, y):
        """x, y: [members, batch, 1]; every member has its own bootstrap batch."""
        plain = {k: p.detach() for k, p in self.params.items()}
        grads, losses = self._grads(plain, self.buffers, x, y)
        for k, p in self.params.items():
            p.grad = grads[k]
        self.opt.step()
        return losses

    @torch.no_grad()
    def predict(self, x):
        out = vmap(self._apply, in_dims=(0, 0, None))(self.params, self.buffers, x)
        return out.mean(0), out.std(0)


def run(setup):
    torch.manual_seed(setup.seed)
    gen = torch.Generator().manual_seed(setup.seed)
    x_tr, y_tr = toy_problem(200, gen)
    x_te, y_te = toy_problem(100, gen)
    mean, std = y_tr.mean(), y_tr.std()

    ens = Ensemble(setup)
    for it in range(1, setup.steps + 1):
        rows = torch.randint(len(x_tr), (setup.members, setup.batch), generator=gen)
        losses = ens.step(x_tr[rows], (y_tr[rows] - mean) / std)
        if it % 80 == 0:
            print(f"it {it:4d}  " + " ".join(f"{v:.3f}" for v in losses.tolist()))

    mu, spread = ens.predict(x_te)
    mse = (mu * std + mean - y_te).square().mean().item()
    var = (y_te - mean).square().mean().item()
    print(f"test mse {mse:.4f} (variance {var:.4f}), mean spread {spread.mean().item() * std.item():.4f}")


if __name__ == "__main__":
    run(Setup())
