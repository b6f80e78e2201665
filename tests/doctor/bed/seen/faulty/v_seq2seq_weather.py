# expect: detached_graph @ 57
"""Encoder-decoder GRU that reads 30 steps of a mixed oscillation and writes the next 10."""
import math

import torch
import torch.nn as nn


def repackage_hidden(h):
    """Wraps hidden states in new tensors."""
    if isinstance(h, torch.Tensor):
        return h.detach()
    return tuple(repackage_hidden(v) for v in h)


def sample_waves(n, generator):
    t = torch.arange(40).float()
    period = torch.rand(n, 1, generator=generator) * 10 + 8
    phase = torch.rand(n, 1, generator=generator) * 2 * math.pi
    size = torch.rand(n, 1, generator=generator) * 0.8 + 0.6
    wave = size * torch.sin(2 * math.pi * t / period + phase)
    return wave + 0.05 * torch.randn(n, 40, generator=generator)


class Encoder(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.rnn = nn.GRU(1, hidden, batch_first=True)

    def forward(self, x):
        _, h = self.rnn(x.unsqueeze(-1))
        return h


class Decoder(nn.Module):
    def __init__(self, hidden):
        super().__init__()
        self.cell = nn.GRUCell(1, hidden)
        self.out = nn.Linear(hidden, 1)

    def forward(self, last, h, steps):
        h, y, outputs = h[0], last.unsqueeze(-1), []
        for _ in range(steps):
            h = self.cell(y, h)
            y = y + self.out(h)
            outputs.append(y)
        return torch.cat(outputs, dim=1)


class Seq2Seq(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.encoder = Encoder(hidden)
        self.decoder = Decoder(hidden)

    def forward(self, past, steps=10):
        hidden = repackage_hidden(self.encoder(past))
        return self.decoder(past[:, -1], hidden, steps)


def evaluate(model, waves):
    model.eval()
    with torch.no_grad():
        forecast = model(waves[:, :30])
        return nn.functional.mse_loss(forecast, waves[:, 30:]).item()


torch.manual_seed(5)
gen = torch.Generator().manual_seed(5)
train_waves, test_waves = sample_waves(640, gen), sample_waves(200, gen)
model = Seq2Seq()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
naive = (test_waves[:, 29:30] - test_waves[:, 30:]).pow(2).mean().item()

for epoch in range(14):
    model.train()
    total = 0.0
    for idx in torch.randperm(640, generator=gen).split(64):
        batch = train_waves[idx]
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(model(batch[:, :30]), batch[:, 30:])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        total += loss.item() * len(idx)
    if epoch % 4 == 1:
        print(f"epoch {epoch + 1:2d} train mse {total / 640:.4f}")
print(f"test mse {evaluate(model, test_waves):.4f}, last value repeated {naive:.4f}")
