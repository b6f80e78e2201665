# expect: lr_too_high @ 21
"""Transformer encoder that tells which of three symbols is the commonest in a string; settings in a dataclass."""
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass
class Config:
    n_train: int = 1200
    n_test: int = 400
    length: int = 15
    d_model: int = 24
    heads: int = 3
    layers: int = 1
    dropout: float = 0.1
    batch_size: int = 50
    epochs: int = 6
    lr: float = 0.3
    seed: int = 8


def make_strings(n, length):
    """Symbols a, b, c with uneven frequencies and a unique winner."""
    strings, winners = [], []
    while len(strings) < n:
        p = torch.softmax(torch.randn(3), 0)
        s = torch.multinomial(p, length, replacement=True)
        count = torch.bincount(s, minlength=3)
        if (count == count.max()).sum() == 1:
            strings.append(s)
            winners.append(int(count.argmax()))
    return torch.stack(strings), torch.tensor(winners)


class Classifier(nn.Module):
    def __init__(self, cfg):
        super().__init__()
        self.token = nn.Embedding(3, cfg.d_model)
        self.position = nn.Parameter(0.02 * torch.randn(cfg.length, cfg.d_model))
        layer = nn.TransformerEncoderLayer(cfg.d_model, cfg.heads, 2 * cfg.d_model, cfg.dropout,
                                           batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, cfg.layers, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(cfg.d_model)
        self.head = nn.Linear(cfg.d_model, 3)

    def forward(self, s):
        h = self.encoder(self.token(s) + self.position)
        return self.head(self.norm(h.mean(dim=1)))


def batches(x, y, size):
    for idx in torch.randperm(len(x)).split(size):
        yield x[idx], y[idx]


def main(cfg):
    torch.manual_seed(cfg.seed)
    x, y = make_strings(cfg.n_train + cfg.n_test, cfg.length)
    x_train, y_train = x[:cfg.n_train], y[:cfg.n_train]
    x_test, y_test = x[cfg.n_train:], y[cfg.n_train:]
    model = Classifier(cfg)
    optimizer = torch.optim.Adam(model.parameters(), lr=cfg.lr, betas=(0.9, 0.98))
    for epoch in range(cfg.epochs):
        model.train()
        total = 0.0
        for xb, yb in batches(x_train, y_train, cfg.batch_size):
            loss = F.cross_entropy(model(xb), yb)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            total += loss.item() * len(xb)
        print(f"epoch {epoch + 1:2d}  loss {total / cfg.n_train:.4f}")
    model.eval()
    with torch.inference_mode():
        acc = (model(x_test).argmax(-1) == y_test).float().mean().item()
    print(f"test accuracy {acc:.3f}")


if __name__ == "__main__":
    main(Config())
