# expect: nothing
"""Endless IterableDataset with step-based training; every evaluation uses the same forked seed."""
import itertools

import torch
from torch import nn
from torch.utils.data import DataLoader, IterableDataset


class DigitStrings(IterableDataset):
    """Yields eight digits and how many of them are five or more, zero to eight."""

    def __iter__(self):
        while True:
            digits = torch.randint(0, 10, (8,))
            yield digits, int((digits >= 5).sum())


class Solver(nn.Module):
    def __init__(self, d=48):
        super().__init__()
        self.emb = nn.Embedding(10, d)
        self.pos = nn.Parameter(0.02 * torch.randn(8, d))
        layer = nn.TransformerEncoderLayer(d, 4, 96, dropout=0.0, batch_first=True, norm_first=True)
        self.enc = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        self.out = nn.Linear(d, 9)

    def forward(self, ids):
        return self.out(self.enc(self.emb(ids) + self.pos).mean(1))


@torch.no_grad()
def evaluate(model, batches=4):
    model.eval()
    with torch.random.fork_rng():
        torch.manual_seed(1234)
        loader = DataLoader(DigitStrings(), batch_size=100)
        hits = [(model(ids).argmax(1) == y).float().mean().item() for ids, y in itertools.islice(loader, batches)]
    model.train()
    return sum(hits) / batches


torch.manual_seed(0)
model = Solver()
opt = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)
model.train()
for step, (ids, y) in enumerate(DataLoader(DigitStrings(), batch_size=64), 1):
    logp = model(ids).log_softmax(-1)
    loss = nn.functional.cross_entropy(logp, y)
    for p in model.parameters():
        p.grad = None
    loss.backward()
    opt.step()
    if step % 75 == 0:
        print(f"step {step} loss {loss.item():.4f} accuracy {evaluate(model):.3f}")
    if step == 300:
        break
