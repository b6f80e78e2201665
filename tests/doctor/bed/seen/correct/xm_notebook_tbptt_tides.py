# expect: nothing
# %% [markdown]
# Sequence models, exercise 4: forecasting the tide gauge with a GRU,
# truncated back-propagation through time (the state is carried from chunk to chunk).

# %%
import math

import torch
from torch import nn

torch.manual_seed(6)
HOURS, STREAMS, CHUNK = 960, 8, 48

# %% data: eight harbours, same constituents, own amplitudes and phases
t = torch.arange(HOURS, dtype=torch.float32)
amp = torch.rand(STREAMS, 1) * 0.8 + 1.0
phase = torch.rand(STREAMS, 1) * 2 * math.pi
level = (amp * torch.sin(2 * math.pi * t / 12.42 + phase)
         + 0.4 * amp * torch.sin(2 * math.pi * t / 12.0 + 0.7 * phase)
         + 0.3 * torch.sin(2 * math.pi * t / 23.93 + 1.3 * phase)
         + 0.05 * torch.randn(STREAMS, HOURS))

# the last 10 days are for the test, the scale comes from the days before them
split = HOURS - 240
mean, std = level[:, :split].mean(), level[:, :split].std()
series = ((level - mean) / std).unsqueeze(-1)


# %%
class TideGRU(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.gru = nn.GRU(1, hidden, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    def forward(self, x, state=None):
        out, state = self.gru(x, state)
        # predict the change until the next hour
        return x + self.head(out), state


model = TideGRU()
criterion = nn.MSELoss()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)

# %% training
for epoch in range(20):
    model.train()
    state, epoch_loss, chunks = None, 0.0, 0
    for start in range(0, split - 1, CHUNK):
        stop = min(start + CHUNK, split - 1)
        x, y = series[:, start:stop], series[:, start + 1:stop + 1]
        if state is not None:
            state = state.detach()
        y_hat, state = model(x, state)
        loss = criterion(y_hat, y)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        epoch_loss += loss.item()
        chunks += 1
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1:2d}  loss {epoch_loss / chunks:.5f}")

# %% test: run over the past for the state, then one hour ahead on the unseen days
model.eval()
with torch.no_grad():
    _, state = model(series[:, :split - 1])
    y_hat, _ = model(series[:, split - 1:-1], state)
truth = series[:, split:]
rmse = (((y_hat - truth) * std) ** 2).mean().sqrt()
persistence = (((series[:, split - 1:-1] - truth) * std) ** 2).mean().sqrt()
print(f"one hour ahead: rmse {rmse:.3f} m, last value carried on {persistence:.3f} m")
