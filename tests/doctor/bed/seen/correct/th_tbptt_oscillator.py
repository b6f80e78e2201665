# expect: nothing
"""Next value of a driven, damped oscillator: a GRU cell of raw tensors, truncated back-propagation through time, state carried on."""
import math

import torch
import torch.nn.functional as F

gen = torch.Generator().manual_seed(1)
TRACKS, LENGTH, CHUNK, HIDDEN, EPOCHS, WARM_UP = 48, 160, 20, 24, 12, 20


def simulate(tracks, length, dt=0.15):
    u = lambda low, high: low + (high - low) * torch.rand(tracks, generator=gen)
    x, v, omega, gamma, phase = u(-1, 1), u(-1, 1), u(0.8, 1.4), u(0.05, 0.15), u(0, 6.28)
    path = []
    for k in range(length + 1):
        a = -omega**2 * x - gamma * v + 0.5 * torch.cos(0.7 * k * dt + phase)
        v = v + dt * a
        x = x + dt * v
        path.append(x)
    path = torch.stack(path)  # [time, track]
    return path + 0.02 * torch.randn(path.shape, generator=gen)


tracks = simulate(TRACKS + 16, LENGTH)
train, test = tracks[:, :TRACKS], tracks[:, TRACKS:]
shift, scale = train.mean(), train.std()
train, test = (train - shift) / scale, (test - shift) / scale


def tensor(*shape):
    bound = 1 / math.sqrt(HIDDEN)
    return ((2 * torch.rand(*shape, generator=gen) - 1) * bound).requires_grad_()


theta = {
    "in": tensor(1, 3 * HIDDEN), "rec": tensor(HIDDEN, 3 * HIDDEN), "b": tensor(3 * HIDDEN),
    "out": tensor(HIDDEN, 1), "c": torch.zeros(1, requires_grad=True),
}


def unroll(theta, series, h):
    """series [time, track] -> forecasts of the next value [time, track], last state"""
    forecasts = []
    for x in series:
        i_r, i_u, i_n = (x[:, None] @ theta["in"] + theta["b"]).chunk(3, dim=1)
        h_r, h_u, h_n = (h @ theta["rec"]).chunk(3, dim=1)
        r, u = torch.sigmoid(i_r + h_r), torch.sigmoid(i_u + h_u)
        h = u * h + (1 - u) * torch.tanh(i_n + r * h_n)
        forecasts.append(x + (h @ theta["out"] + theta["c"])[:, 0])
    return torch.stack(forecasts), h


opt = torch.optim.Adam(theta.values(), lr=0.01)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=EPOCHS, eta_min=1e-3)
for epoch in range(EPOCHS):
    h, total = torch.zeros(TRACKS, HIDDEN), 0.0
    for start in range(0, LENGTH, CHUNK):
        window = train[start : start + CHUNK + 1]
        forecast, h = unroll(theta, window[:-1], h.detach())
        loss = F.mse_loss(forecast, window[1:])
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(theta.values(), 1.0)
        opt.step()
        total += loss.item()
    sched.step()
    if epoch % 3 == 2:
        print(f"epoch {epoch + 1:2d}  mean squared error {total * CHUNK / LENGTH:.5f}")

with torch.no_grad():
    forecast, _ = unroll(theta, test[:-1], torch.zeros(test.shape[1], HIDDEN))
    error = (forecast - test[1:])[WARM_UP:].square().mean().sqrt()
    stay = (test[:-1] - test[1:])[WARM_UP:].square().mean().sqrt()
print(f"new tracks: rms {error.item():.4f}, persistence {stay.item():.4f}")
