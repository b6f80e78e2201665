# expect: nothing
"""MAML on sine waves: second-order inner steps through functional_call, Adam outside."""
import math

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call


class SineTasks:
    def __init__(self, seed):
        self.gen = torch.Generator().manual_seed(seed)

    def uniform(self, *shape, low=0.0, high=1.0):
        return low + (high - low) * torch.rand(*shape, generator=self.gen)

    def draw(self, tasks, shots):
        amp = self.uniform(tasks, 1, 1, low=0.5, high=2.0)
        phase = self.uniform(tasks, 1, 1, low=0.0, high=math.pi)
        x = self.uniform(tasks, 2 * shots, 1, low=-1.0, high=1.0)
        y = amp * torch.sin(math.pi * x + phase)
        return x[:, :shots], y[:, :shots], x[:, shots:], y[:, shots:]


def net():
    return nn.Sequential(nn.Linear(1, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1))


def adapt(model, params, x, y, lr, steps, create_graph):
    for _ in range(steps):
        loss = F.mse_loss(functional_call(model, params, (x,)), y)
        grads = torch.autograd.grad(loss, list(params.values()), create_graph=create_graph)
        params = {name: p - lr * g for (name, p), g in zip(params.items(), grads)}
    return params


def meta_loss(model, batch, inner_lr, steps):
    losses = []
    params = dict(model.named_parameters())
    for xs, ys, xq, yq in zip(*batch):
        fast = adapt(model, params, xs, ys, inner_lr, steps, create_graph=True)
        losses.append(F.mse_loss(functional_call(model, fast, (xq,)), yq))
    return torch.stack(losses).mean()


def meta_test(model, batch, inner_lr, steps):
    """Errors on the query points before and after the inner steps."""
    before = after = 0.0
    start = {k: v.detach().clone().requires_grad_(True) for k, v in model.named_parameters()}
    for xs, ys, xq, yq in zip(*batch):
        fast = adapt(model, start, xs, ys, inner_lr, steps, create_graph=False)
        with torch.no_grad():
            before += F.mse_loss(functional_call(model, start, (xq,)), yq).item()
            after += F.mse_loss(functional_call(model, fast, (xq,)), yq).item()
    return before / len(batch[0]), after / len(batch[0])


def main():
    torch.manual_seed(0)
    train_tasks, test_tasks = SineTasks(1), SineTasks(2)
    model = net()
    outer = torch.optim.Adam(model.parameters(), lr=8e-3)
    history = []
    for it in range(160):
        loss = meta_loss(model, train_tasks.draw(6, 10), inner_lr=0.1, steps=1)
        outer.zero_grad()
        loss.backward()
        outer.step()
        history.append(loss.item())
        if (it + 1) % 40 == 0:
            print(f"iteration {it + 1}  meta loss {sum(history[-30:]) / 30:.4f}")
    model.eval()
    before, after = meta_test(model, test_tasks.draw(100, 10), inner_lr=0.1, steps=3)
    print(f"new waves: error before {before:.4f}, after three steps {after:.4f}")


if __name__ == "__main__":
    main()
