# expect: sigmoid_before_bce_with_logits @ 43
# allowed: sigmoid_before_bce_with_logits @ 39
# mend: 43 →     return F.binary_cross_entropy(efficiency(params, x), y)
"""Trigger efficiency: probability that an event fires the trigger, from four reconstructed quantities, in functional torch."""
import torch
import torch.nn.functional as F

gen = torch.Generator().manual_seed(42)


def simulate(n):
    pt = torch.empty(n).exponential_(1 / 20.0, generator=gen) + 5.0
    eta = 5.0 * torch.rand(n, generator=gen) - 2.5
    isolation = torch.rand(n, generator=gen)
    pileup = torch.poisson(torch.full((n,), 30.0), generator=gen)
    turn_on = (pt - 22.0) / 3.0 - 1.2 * (eta.abs() > 1.5).float() - 3.0 * isolation + 1.5
    turn_on = turn_on - 0.05 * (pileup - 30.0)
    fired = (torch.rand(n, generator=gen) < torch.sigmoid(turn_on)).float()
    return torch.stack([pt.log(), eta, isolation, pileup], dim=1), fired


x_train, y_train = simulate(4000)
x_test, y_test = simulate(1500)
mu, sigma = x_train.mean(dim=0), x_train.std(dim=0)
x_train, x_test = (x_train - mu) / sigma, (x_test - mu) / sigma

sizes = [4, 24, 24, 1]
params = []
for fan_in, fan_out in zip(sizes[:-1], sizes[1:]):
    weight = torch.randn(fan_in, fan_out, generator=gen) * (1.0 / fan_in) ** 0.5
    params.append((weight.requires_grad_(), torch.zeros(fan_out, requires_grad=True)))


def efficiency(params, x):
    *hidden, last = params
    for weight, bias in hidden:
        x = torch.tanh(x @ weight + bias)
    weight, bias = last
    return torch.sigmoid(x @ weight + bias).squeeze(1)


def objective(params, x, y):
    return F.binary_cross_entropy_with_logits(efficiency(params, x), y)


flat = [t for pair in params for t in pair]
momenta = [torch.zeros_like(t) for t in flat]
lr, beta = 0.1, 0.9
for epoch in range(12):
    total = 0.0
    for idx in torch.randperm(len(x_train), generator=gen).split(100):
        value = objective(params, x_train[idx], y_train[idx])
        grads = torch.autograd.grad(value, flat)
        with torch.no_grad():
            for t, m, g in zip(flat, momenta, grads):
                m.mul_(beta).add_(g)
                t.sub_(lr * m)
        total += value.item() * len(idx)
    print(f"epoch {epoch:2d}  objective {total / len(x_train):.4f}")

with torch.no_grad():
    eff = efficiency(params, x_test)
    accuracy = ((eff > 0.5).float() == y_test).float().mean()
    brier = (eff - y_test).pow(2).mean()
    print(f"test accuracy {accuracy.item():.3f}  Brier score {brier.item():.4f}")
    for low, high in [(0.0, 0.25), (0.25, 0.75), (0.75, 1.01)]:
        inside = (eff >= low) & (eff < high)
        if inside.any():
            print(f"predicted {low:.2f}-{high:.2f}: {inside.sum().item():4d} events, fired {y_test[inside].mean().item():.2f}")
