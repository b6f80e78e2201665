# expect: nothing
"""Two-component exponential decay fitted to noisy fluorescence traces with raw tensors and Adam."""
import numpy as np
import torch

rng = np.random.default_rng(2)
time = np.linspace(0, 10, 200)
TRUE = dict(a1=2.0, k1=1.6, a2=1.0, k2=0.25)
clean = TRUE["a1"] * np.exp(-TRUE["k1"] * time) + TRUE["a2"] * np.exp(-TRUE["k2"] * time)
signal = clean + 0.03 * rng.standard_normal(time.size)

held = np.zeros(time.size, dtype=bool)
held[rng.choice(time.size, 40, replace=False)] = True
t_fit, s_fit = (torch.tensor(v[~held], dtype=torch.float32) for v in (time, signal))
t_val, s_val = (torch.tensor(v[held], dtype=torch.float32) for v in (time, signal))

log_amp = torch.zeros(2, requires_grad=True)
log_rate = torch.tensor([0.0, -1.0], requires_grad=True)
opt = torch.optim.Adam([log_amp, log_rate], lr=0.05)


def decay(t):
    return (log_amp.exp() * torch.exp(-log_rate.exp() * t[:, None])).sum(1)


history = []
for it in range(600):
    opt.zero_grad()
    loss = torch.mean((decay(t_fit) - s_fit) ** 2)
    loss.backward()
    opt.step()
    history.append(loss.item())

curve = torch.tensor(history)
print(f"mse first {curve[0]:.5f}  last {curve[-1]:.5f}  best {curve.min():.5f}")
with torch.no_grad():
    rmse = torch.sqrt(torch.mean((decay(t_val) - s_val) ** 2)).item()
    amp, rate = log_amp.exp().tolist(), log_rate.exp().tolist()
for a, k in zip(amp, rate):
    print(f"amplitude {a:.3f}  rate {k:.3f}  half-life {np.log(2) / k:.2f}")
print(f"rmse at held-out time points {rmse:.4f}")
