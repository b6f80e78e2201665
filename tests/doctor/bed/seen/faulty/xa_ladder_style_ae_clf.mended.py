# expect: nothing
"""Supervised autoencoder: one encoder, a noisy reconstruction head and a class head, trained jointly.

The split is done per class, so that both parts have exactly the same class shares.
"""
import logging
from typing import Iterator, Tuple

import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import Tensor, nn

logging.basicConfig(level=logging.INFO, format="%(message)s")
log = logging.getLogger("sae")


def split_per_class(y: Tensor, share: float, gen: torch.Generator) -> Tuple[Tensor, Tensor]:
    """Draws `share` of the rows of every class for the test part; the draw itself is random."""
    train, test = [], []
    for c in y.unique():
        rows = torch.nonzero(y == c).flatten()
        rows = rows[torch.randperm(len(rows), generator=gen)]
        cut = int(round(share * len(rows)))
        test.append(rows[:cut])
        train.append(rows[cut:])
    return torch.cat(train), torch.cat(test)


class BatchSource:
    """Iterable over (x, y) mini-batches; a new pass starts with each `iter`."""

    def __init__(self, x: Tensor, y: Tensor, size: int, shuffle: bool = False):
        self.x, self.y, self.size, self.shuffle = x, y, size, shuffle

    def __len__(self) -> int:
        return -(-len(self.x) // self.size)

    def __iter__(self) -> Iterator[Tuple[Tensor, Tensor]]:
        order = torch.randperm(len(self.x)) if self.shuffle else torch.arange(len(self.x))
        for part in order.split(self.size):
            yield self.x[part], self.y[part]


class SupervisedAE(nn.Module):
    def __init__(self, n_in=64, hidden=64, code=24, classes=10, noise=0.2):
        super().__init__()
        self.noise = noise
        self.enc1, self.enc2 = nn.Linear(n_in, hidden), nn.Linear(hidden, code)
        self.dec1, self.dec2 = nn.Linear(code, hidden), nn.Linear(hidden, n_in)
        self.cls = nn.Linear(code, classes)

    def encode(self, x):
        return F.elu(self.enc2(F.elu(self.enc1(x))))

    def forward(self, x):
        if self.training:
            x = x + self.noise * torch.randn_like(x)
        code = self.encode(x)
        return self.dec2(F.elu(self.dec1(code))), self.cls(code)

    def training_step(self, batch, w_rec):
        x, y = batch
        rec, logits = self(x)
        return F.cross_entropy(logits, y) + w_rec * F.mse_loss(rec, x)

    @torch.no_grad()
    def score(self, source):
        self.eval()
        err = hit = n = 0
        for x, y in source:
            rec, logits = self(x)
            err += F.mse_loss(rec, x, reduction="sum").item() / x.size(1)
            hit += (logits.argmax(-1) == y).sum().item()
            n += len(y)
        return err / n, hit / n


def fit(model: SupervisedAE, source: BatchSource, epochs: int, lr: float, w_rec: float) -> None:
    opt = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, nesterov=True)
    for epoch in range(1, epochs + 1):
        model.train()
        total = 0.0
        for batch in source:
            loss = model.training_step(batch, w_rec)
            opt.zero_grad()
            loss.backward()
            opt.step()
            total += loss.item()
        if epoch % 4 == 0:
            log.info("epoch %2d  loss %.4f", epoch, total / len(source))


def main():
    torch.manual_seed(64)
    bunch = load_digits()
    x, y = torch.tensor(bunch.data / 16.0, dtype=torch.float32), torch.tensor(bunch.target)
    train, test = split_per_class(y, 0.25, torch.Generator().manual_seed(65))
    model = SupervisedAE()
    fit(model, BatchSource(x[train], y[train], 48, shuffle=True), epochs=16, lr=0.03, w_rec=2.0)
    mse, acc = model.score(BatchSource(x[test], y[test], 200))
    log.info("test: reconstruction mse %.4f  accuracy %.4f", mse, acc)


if __name__ == "__main__":
    main()
