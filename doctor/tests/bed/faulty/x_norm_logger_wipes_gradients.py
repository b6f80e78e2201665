# expect: grad_cleared_before_step @ 19
# mend: 19 →
"""A small fit() with hooks between backward and step; one of them reports the size of the gradients."""

import torch
from sklearn.datasets import load_iris
from torch import nn

torch.manual_seed(7)
iris = load_iris()
x = torch.tensor(iris.data, dtype=torch.float32)
x = (x - x.mean(0)) / x.std(0)
y = torch.tensor(iris.target)


def report_norm(state):
    params = [p for p in state["model"].parameters() if p.grad is not None]
    state["norms"].append(torch.norm(torch.stack([p.grad.norm() for p in params])).item())
    state["model"].zero_grad()


def report_loss(state):
    if state["step"] % 25 == 0:
        print(f"step {state['step']:3d} loss {state['loss'].item():.4f} |g| {state['norms'][-1]:.4f}")


def fit(model, loss_func, opt, steps, after_backward=(), batch_size=30):
    state = {"model": model, "norms": []}
    for step in range(steps):
        rows = torch.randint(len(x), (batch_size,))
        opt.zero_grad()
        loss = loss_func(model(x[rows]), y[rows])
        loss.backward()
        state.update(step=step, loss=loss)
        for hook in after_backward:
            hook(state)
        opt.step()
    return model


net = nn.Sequential(nn.Linear(4, 24), nn.Tanh(), nn.Linear(24, 3))
fit(net, nn.CrossEntropyLoss(), torch.optim.SGD(net.parameters(), lr=0.1), 101, [report_norm, report_loss])
with torch.no_grad():
    print("accuracy", (net(x).argmax(1) == y).float().mean().item())
