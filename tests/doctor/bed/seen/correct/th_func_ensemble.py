# expect: nothing
"""Period of a large-amplitude pendulum: an ensemble of small nets trained at once with vmap, errors from the ensemble's spread."""
import torch
from torch.func import grad_and_value, vmap

torch.manual_seed(6)
MEMBERS, HIDDEN, STEPS, BATCH, LR = 8, 24, 500, 64, 0.01


def period(theta0, length, g=9.81):
    """Arithmetic-geometric mean formula of the exact period."""
    a, b = torch.ones_like(theta0), torch.cos(theta0 / 2)
    for _ in range(6):
        a, b = (a + b) / 2, torch.sqrt(a * b)
    return 2 * torch.pi * torch.sqrt(length / g) / a


def sample(n):
    theta0, length = 0.1 + 2.6 * torch.rand(n), 0.3 + 1.7 * torch.rand(n)
    noisy = period(theta0, length) * (1 + 0.01 * torch.randn(n))
    return torch.stack([theta0, length], dim=-1), noisy


x, t = sample(1200)
x, x_test, t, t_test = x[:900], x[900:], t[:900], t[900:]
x_mean, x_std, t_mean, t_std = x.mean(0), x.std(0), t.mean(), t.std()
z, z_test, y = (x - x_mean) / x_std, (x_test - x_mean) / x_std, (t - t_mean) / t_std

params = {
    "w1": torch.randn(MEMBERS, 2, HIDDEN) / 2**0.5,
    "b1": torch.zeros(MEMBERS, HIDDEN),
    "w2": torch.randn(MEMBERS, HIDDEN, HIDDEN) / HIDDEN**0.5,
    "b2": torch.zeros(MEMBERS, HIDDEN),
    "w3": torch.randn(MEMBERS, HIDDEN, 1) / HIDDEN**0.5,
    "b3": torch.zeros(MEMBERS, 1),
}


def net(p, x):
    h = torch.tanh(x @ p["w1"] + p["b1"])
    h = torch.tanh(h @ p["w2"] + p["b2"])
    return (h @ p["w3"] + p["b3"]).squeeze(-1)


def loss_of_member(p, x, y):
    return (net(p, x) - y).square().mean()


step_fn = vmap(grad_and_value(loss_of_member))
first = {k: torch.zeros_like(v) for k, v in params.items()}
second = {k: torch.zeros_like(v) for k, v in params.items()}

for step in range(1, STEPS + 1):
    rows = torch.randint(len(z), (MEMBERS, BATCH))  # every member sees rows of its own
    grads, losses = step_fn(params, z[rows], y[rows])
    lr = LR * (1 - step / (STEPS + 1))
    for k, g in grads.items():
        first[k] = 0.9 * first[k] + 0.1 * g
        second[k] = 0.999 * second[k] + 0.001 * g * g
        m, v = first[k] / (1 - 0.9**step), second[k] / (1 - 0.999**step)
        params[k] = params[k] - lr * m / (v.sqrt() + 1e-8)
    if step % 100 == 0:
        print(f"step {step:4d}  loss of the members {losses.mean().item():.5f} +- {losses.std().item():.5f}")

with torch.no_grad():
    members = vmap(net, in_dims=(0, None))(params, z_test) * t_std + t_mean  # [members, rows]
prediction, spread = members.mean(dim=0), members.std(dim=0)
relative = ((prediction - t_test) / t_test).square().mean().sqrt()
small_angle = 2 * torch.pi * torch.sqrt(x_test[:, 1] / 9.81)
print(f"relative error {100 * relative.item():.2f} %, mean spread {spread.mean().item():.4f} s")
print(f"small-angle formula {100 * ((small_angle - t_test) / t_test).square().mean().sqrt().item():.2f} %")
