# expect: lr_too_high @ 53
# allowed: lr_too_high @ 47
"""Teaches a small Transformer encoder to write a string of symbols backwards, with the schedule of the paper."""
import math

import torch
import torch.nn as nn

SYMBOLS, LENGTH, WIDTH = 10, 8, 32


def strings(rows, generator):
    source = torch.randint(0, SYMBOLS, (rows, LENGTH), generator=generator)
    return source, source.flip(1)


class Positions(nn.Module):
    def __init__(self, width, longest=64):
        super().__init__()
        at = torch.arange(longest).unsqueeze(1)
        rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
        table = torch.zeros(longest, width)
        table[:, 0::2] = torch.sin(at * rate)
        table[:, 1::2] = torch.cos(at * rate)
        self.register_buffer("table", table)

    def forward(self, x):
        return x + self.table[: x.size(1)]


class Reverser(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(SYMBOLS, WIDTH)
        self.positions = Positions(WIDTH)
        layer = nn.TransformerEncoderLayer(WIDTH, 4, 64, dropout=0.0, batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2, norm=nn.LayerNorm(WIDTH), enable_nested_tensor=False)
        self.write = nn.Linear(WIDTH, SYMBOLS)

    def forward(self, source):
        return self.write(self.encoder(self.positions(self.embed(source))))


class Noam:
    """lr = factor * width^-1/2 * min(step^-1/2, step * warmup^-3/2), set before each step."""

    def __init__(self, optimizer, width, factor=0.3, warmup=60):
        self.optimizer, self.width, self.factor, self.warmup = optimizer, width, factor, warmup
        self.count = 0

    def rate(self, step):
        ramp = min(step ** -0.5, step * self.warmup ** -1.5)
        return self.factor * self.width ** 0.5 * ramp

    def step(self):
        self.count += 1
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate(self.count)
        self.optimizer.step()

    def zero_grad(self):
        self.optimizer.zero_grad(set_to_none=True)


def main():
    torch.manual_seed(1)
    generator = torch.Generator().manual_seed(9)
    model = Reverser()
    noam = Noam(torch.optim.Adam(model.parameters(), lr=0.0, betas=(0.9, 0.98), eps=1e-9), WIDTH)
    criterion = nn.CrossEntropyLoss()
    model.train()
    running = 0.0
    for step in range(1, 401):
        source, target = strings(64, generator)
        noam.zero_grad()
        loss = criterion(model(source).flatten(0, 1), target.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        noam.step()
        running += loss.item()
        if step % 80 == 0:
            print(f"step {step:4d}  loss {running / 80:.4f}")
            running = 0.0

    model.eval()
    with torch.no_grad():
        source, target = strings(500, torch.Generator().manual_seed(1234))
        guess = model(source).argmax(dim=-1)
    print(f"symbols right {(guess == target).float().mean().item():.3f}, "
          f"strings right {(guess == target).all(dim=1).float().mean().item():.3f}")


if __name__ == "__main__":
    main()
