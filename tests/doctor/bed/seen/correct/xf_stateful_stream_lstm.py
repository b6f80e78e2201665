# expect: nothing
"""Next-value model on parallel streams, state carried over chunks (truncated BPTT)."""
import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(4)
rng = np.random.default_rng(4)
STREAMS, STEPS, CHUNK = 16, 1200, 20


def streams():
    """Each stream switches its period now and then; neighbours in time depend on it."""
    out = np.zeros((STREAMS, STEPS + 1))
    for s in range(STREAMS):
        phase, period = rng.uniform(0, 6), 12.0
        for t in range(STEPS + 1):
            if rng.random() < 0.01:
                period = rng.choice([8.0, 12.0, 20.0])
            phase += 2 * np.pi / period
            out[s, t] = 5 + 3 * np.sin(phase) + rng.normal(0, 0.15)
    return out


class Stream(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.lstm = nn.LSTM(1, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x, state=None):
        h, state = self.lstm(x, state)
        return self.out(h).squeeze(-1), state


def chunks(block):
    for start in range(0, block.shape[1] - CHUNK, CHUNK):
        part = block[:, start:start + CHUNK + 1]
        yield part[:, :-1, None], part[:, 1:]


raw = streams()
edge = 900
mean, std = raw[:, :edge].mean(), raw[:, :edge].std()
data = torch.tensor((raw - mean) / std, dtype=torch.float32)
fit, held = data[:, :edge], data[:, edge:]

model = Stream()
opt = torch.optim.Adam(model.parameters(), lr=1e-2)
for epoch in range(10):
    model.train()
    state, total, count = None, 0.0, 0
    for x, y in chunks(fit):
        if state is not None:
            state = tuple(s.detach() for s in state)
        pred, state = model(x, state)
        loss = nn.functional.mse_loss(pred, y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        opt.zero_grad()
        total, count = total + loss.detach().item(), count + 1
    print(f"epoch {epoch}: mse {total / count:.4f}")

model.eval()
torch.set_grad_enabled(False)
state, errs, base = None, [], []
for x, y in chunks(held):
    pred, state = model(x, state)
    errs.append((pred - y).pow(2).mean())
    base.append((x.squeeze(-1) - y).pow(2).mean())
print(f"held-out mse {torch.stack(errs).mean():.4f}  (repeat last value {torch.stack(base).mean():.4f})")
