# expect: nothing
"""Two tasks from one wine table: cultivar (classes) and alcohol (regression), weighted by learned uncertainty."""
from types import SimpleNamespace

import numpy as np
import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn

args = SimpleNamespace(epochs=40, batch=16, max_lr=1e-2, clip=5.0, seed=64)
torch.manual_seed(args.seed)

wine = load_wine()
alcohol, table = wine.data[:, 0], wine.data[:, 1:]
rows = np.arange(len(table))
train_rows, test_rows = train_test_split(rows, test_size=0.3, stratify=wine.target, random_state=args.seed)

mean, std = table[train_rows].mean(0), table[train_rows].std(0)
x = torch.tensor((table - mean) / std, dtype=torch.float32)
kind = torch.tensor(wine.target)
a_mean, a_std = alcohol[train_rows].mean(), alcohol[train_rows].std()
strength = torch.tensor((alcohol - a_mean) / a_std, dtype=torch.float32)
train_rows, test_rows = torch.tensor(train_rows), torch.tensor(test_rows)


class SharedBottom(nn.Module):
    def __init__(self):
        super().__init__()
        self.bottom = nn.Sequential(nn.Linear(12, 24), nn.ELU(), nn.Dropout(0.1))
        self.towers = nn.ModuleDict({"kind": nn.Linear(24, 3), "strength": nn.Linear(24, 1)})

    def forward(self, x):
        z = self.bottom(x)
        return {name: tower(z) for name, tower in self.towers.items()}


class UncertaintyLoss(nn.Module):
    """Kendall et al.: each task's loss is divided by a learned variance."""

    def __init__(self):
        super().__init__()
        self.log_var = nn.Parameter(torch.zeros(2))

    def forward(self, out, kind, strength):
        ce = nn.functional.cross_entropy(out["kind"], kind)
        se = nn.functional.mse_loss(out["strength"].squeeze(-1), strength)
        precision = torch.exp(-self.log_var)
        return precision[0] * ce + 0.5 * precision[1] * se + 0.5 * self.log_var.sum()


model, loss_fn = SharedBottom(), UncertaintyLoss()
optimizer = torch.optim.AdamW(
    [{"params": model.parameters(), "weight_decay": 1e-2}, {"params": loss_fn.parameters(), "weight_decay": 0.0}],
    lr=args.max_lr,
)
steps = -(-len(train_rows) // args.batch)
schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, args.max_lr, total_steps=args.epochs * steps)

for epoch in range(args.epochs):
    model.train()
    total = 0.0
    for idx in train_rows[torch.randperm(len(train_rows))].split(args.batch):
        optimizer.zero_grad()
        loss = loss_fn(model(x[idx]), kind[idx], strength[idx])
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), args.clip)
        optimizer.step()
        schedule.step()
        total += loss.item() / steps
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1}: joint loss {total:+.3f}, log variances {loss_fn.log_var.tolist()[0]:+.2f} {loss_fn.log_var.tolist()[1]:+.2f}")

model.eval()
with torch.no_grad():
    out = model(x[test_rows])
accuracy = (out["kind"].argmax(1) == kind[test_rows]).float().mean().item()
error = (out["strength"].squeeze(-1) - strength[test_rows]).abs().mean().item() * a_std
print(f"cultivar accuracy {accuracy:.3f}, alcohol off by {error:.2f} %vol on average")
