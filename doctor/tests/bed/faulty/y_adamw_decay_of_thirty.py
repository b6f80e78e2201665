# expect: weight_decay_too_high @ 25
# mend: 25 →         return torch.optim.AdamW(self.parameters(), lr=5e-3, weight_decay=0.03)
"""AdamW on the digits; the decay was meant to be 0.03."""

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class LitLikeModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 32), nn.GELU())
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        return self.head(self.body(x))

    def training_step(self, batch):
        x, y = batch
        return nn.functional.cross_entropy(self(x), y)

    def configure_optimizers(self):
        return torch.optim.AdamW(self.parameters(), lr=5e-3, weight_decay=30)


class Runner:
    def __init__(self, epochs):
        self.epochs = epochs

    def fit(self, module, loader):
        optimizer = module.configure_optimizers()
        for epoch in range(self.epochs):
            module.train()
            for batch in loader:
                loss = module.training_step(batch)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            norm = sum(p.square().sum() for p in module.parameters()).sqrt().item()
            print(f"epoch {epoch}: loss {loss.item():.4f}, weights' norm {norm:.3f}")


torch.manual_seed(0)
data = load_digits()
x, y = torch.tensor(data.data / 16, dtype=torch.float32), torch.tensor(data.target)
order = torch.randperm(len(x))
train, test = order[:1400], order[1400:]
module = LitLikeModel()
Runner(epochs=6).fit(module, DataLoader(TensorDataset(x[train], y[train]), batch_size=64, shuffle=True))
module.eval()
with torch.no_grad():
    print(f"test accuracy {(module(x[test]).argmax(1) == y[test]).float().mean():.3f}")
