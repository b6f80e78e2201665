# expect: nothing
"""MAML for sine regression with torch.func: inner steps by functional_call and grad, tasks in parallel by vmap."""
import math

import torch
from torch import nn
from torch.func import functional_call, grad, vmap

INNER_LR, INNER_STEPS, META_LR, TASKS, SHOTS = 0.1, 3, 5e-3, 12, 10


def sample_tasks(n, generator, queries=10):
    amplitude = torch.rand(n, 1, 1, generator=generator) * 1.5 + 0.5
    phase = torch.rand(n, 1, 1, generator=generator) * math.pi
    x = torch.rand(n, SHOTS + queries, 1, generator=generator) * 2 - 1
    y = amplitude * torch.sin(3 * x + phase)
    return x[:, :SHOTS], y[:, :SHOTS], x[:, SHOTS:], y[:, SHOTS:]


net = None


def task_loss(params, x, y):
    return nn.functional.mse_loss(functional_call(net, params, (x,)), y)


def adapt(params, x, y, steps=INNER_STEPS):
    for _ in range(steps):
        slope = grad(task_loss)(params, x, y)
        params = {name: p - INNER_LR * slope[name] for name, p in params.items()}
    return params


def query_loss(params, x_s, y_s, x_q, y_q):
    return task_loss(adapt(params, x_s, y_s), x_q, y_q)


def meta_loss(params, tasks):
    return vmap(query_loss, in_dims=(None, 0, 0, 0, 0))(params, *tasks).mean()


def main():
    global net
    torch.manual_seed(90)
    source = torch.Generator().manual_seed(91)
    net = nn.Sequential(nn.Linear(1, 40), nn.Tanh(), nn.Linear(40, 40), nn.Tanh(), nn.Linear(40, 1))
    optimizer = torch.optim.Adam(net.parameters(), lr=META_LR)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=240)
    smooth = None
    for step in range(240):
        loss = meta_loss(dict(net.named_parameters()), sample_tasks(TASKS, source))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        smooth = loss.item() if smooth is None else 0.95 * smooth + 0.05 * loss.item()
        if step % 60 == 59:
            print(f"meta step {step + 1}: query loss {smooth:.4f}")

    fresh = sample_tasks(200, torch.Generator().manual_seed(92))
    start = {name: p.detach() for name, p in net.named_parameters()}
    before = vmap(task_loss, in_dims=(None, 0, 0))(start, fresh[2], fresh[3]).mean().item()
    after = meta_loss(start, fresh).item()
    print(f"new tasks: mse {before:.4f} before adapting, {after:.4f} after {INNER_STEPS} steps")


main()
