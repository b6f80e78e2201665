# expect: nothing
"""A hand-written Lion optimizer with decoupled decay training a token-mixing net on sequence sums."""
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Lion(torch.optim.Optimizer):
    def __init__(self, params, lr, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(m.mul(b1).add(p.grad, alpha=1 - b1).sign(), alpha=-group["lr"])
                m.mul_(b2).add_(p.grad, alpha=1 - b2)


@dataclass(frozen=True)
class Settings:
    lr: float = 1e-3
    weight_decay: float = 0.01
    epochs: int = 15
    batch: int = 50


class Mixer(nn.Module):
    def __init__(self, tokens=8, dim=16):
        super().__init__()
        self.emb = nn.Embedding(10, dim)
        self.token = nn.Sequential(nn.Linear(tokens, 32), nn.GELU(), nn.Linear(32, tokens))
        self.out = nn.Linear(dim, 2)

    def forward(self, ids):
        h = self.emb(ids)
        h = h + self.token(h.transpose(1, 2)).transpose(1, 2)
        return self.out(h.mean(1))


def digit_sums(n):
    ids = torch.randint(0, 10, (n, 8))
    return TensorDataset(ids, (ids.sum(1) > 36).long())


cfg = Settings()
torch.manual_seed(19)
train, test = DataLoader(digit_sums(1500), batch_size=cfg.batch, shuffle=True), digit_sums(400).tensors
model = Mixer()
optimizer = Lion(model.parameters(), lr=cfg.lr, weight_decay=cfg.weight_decay)
for epoch in range(cfg.epochs):
    model.train()
    losses = []
    for ids, y in train:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(ids), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if epoch % 5 == 4:
        print(f"epoch {epoch} loss {sum(losses) / len(losses):.4f}")
model.eval()
with torch.no_grad():
    print(f"test acc {(model(test[0]).argmax(1) == test[1]).float().mean().item():.3f}")
