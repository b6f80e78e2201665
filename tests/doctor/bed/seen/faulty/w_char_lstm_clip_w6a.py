# expect: clip_too_small @ 67
"""Character model on made-up place names, LSTM with carried state."""
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn


@dataclass(frozen=True)
class Config:
    hidden: int = 64
    emb: int = 16
    streams: int = 24
    window: int = 24
    lr: float = 0.5
    momentum: float = 0.9
    max_norm: float = 1.0
    min_lr: float = 0.005
    epochs: int = 7
    seed: int = 9


def place_names(n, seed):
    rng = np.random.default_rng(seed)
    front = ["", "Great ", "Little ", "Upper ", "Saint ", "New "]
    first = "Ald Bram Cor Dun East Farn Glen Harp Kirk Lang Mill North Oak Pem Red Stan Thorn Wood".split()
    mid = ["", "a", "en", "ing", "er", "le"]
    last = "bridge burn bury dale field ford ham ley mouth stead ton wick worth".split()
    names = {}
    while len(names) < n:
        names[front[rng.integers(6)] + first[rng.integers(18)] + mid[rng.integers(6)] + last[rng.integers(13)]] = None
    return list(names)


class CharModel(nn.Module):
    def __init__(self, n_chars, cfg):
        super().__init__()
        self.emb = nn.Embedding(n_chars, cfg.emb)
        self.lstm = nn.LSTM(cfg.emb, cfg.hidden, batch_first=True)
        self.out = nn.Linear(cfg.hidden, n_chars)

    def forward(self, x, state=None):
        h, state = self.lstm(self.emb(x), state)
        return self.out(h), state


def windows(text, streams, window):
    length = (len(text) - 1) // streams
    src = text[:streams * length].view(streams, length)
    dst = text[1:streams * length + 1].view(streams, length)
    for a in range(0, length - window + 1, window):
        yield src[:, a:a + window], dst[:, a:a + window]


def run(model, text, cfg, optimizer=None):
    model.train(optimizer is not None)
    loss_fn = nn.CrossEntropyLoss()
    state, total, count = None, 0.0, 0
    for x, y in windows(text, cfg.streams, cfg.window):
        logits, state = model(x, state)
        state = tuple(s.detach() for s in state)
        loss = loss_fn(logits.flatten(0, 1), y.flatten())
        if optimizer is not None:
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), cfg.min_lr)
            optimizer.step()
        total, count = total + loss.item(), count + 1
    return total / count


def main():
    cfg = Config()
    torch.manual_seed(cfg.seed)
    names = place_names(3000, seed=1)
    train_text, test_text = "\n".join(names[:2400]), "\n".join(names[2400:])
    chars = sorted(set(train_text))
    code = {c: i for i, c in enumerate(chars)}
    train = torch.tensor([code[c] for c in train_text])
    test = torch.tensor([code[c] for c in test_text])

    model = CharModel(len(chars), cfg)
    optimizer = torch.optim.SGD(model.parameters(), lr=cfg.lr, momentum=cfg.momentum)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=cfg.epochs, eta_min=cfg.min_lr)
    for epoch in range(1, cfg.epochs + 1):
        loss = run(model, train, cfg, optimizer)
        schedule.step()
        print(f"epoch {epoch}  nats/char {loss:.3f}")
    with torch.no_grad():
        print(f"held-out nats/char {run(model, test, cfg):.3f}")


if __name__ == "__main__":
    main()
