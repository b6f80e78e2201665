# expect: nothing
"""Multi-task network (class and strength of a signal) whose report is made by a method of the trainer."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset, random_split


class SharedTrunk(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Linear(20, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.4), nn.Linear(64, 32), nn.ReLU()
        )
        self.kind = nn.Linear(32, 3)
        self.strength = nn.Linear(32, 1)

    def forward(self, x):
        h = self.trunk(x)
        return self.kind(h), self.strength(h).squeeze(-1)


class MultiTaskTrainer:
    def __init__(self, model, lr=3e-3, weight=0.5):
        self.model, self.weight = model, weight
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr)

    def train_epoch(self, loader):
        self.model.train()
        total = 0.0
        for x, k, s in loader:
            logits, strength = self.model(x)
            loss = F.cross_entropy(logits, k) + self.weight * F.smooth_l1_loss(strength, s)
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += loss.item()
        return total / len(loader)

    @torch.inference_mode()
    def report(self, loader):
        self.model.eval()
        hits = err = n = 0
        for x, k, s in loader:
            logits, strength = self.model(x)
            hits += (logits.argmax(1) == k).sum().item()
            err += (strength - s).abs().sum().item()
            n += len(x)
        return hits / n, err / n


torch.manual_seed(5)
basis = torch.randn(3, 20)
kind = torch.randint(0, 3, (1500,))
strength = torch.rand(1500) + 0.2
signal = basis[kind] * strength[:, None] + 0.6 * torch.randn(1500, 20)
data = TensorDataset(signal, kind, strength)
train_set, test_set = random_split(data, [1200, 300])
train_loader = DataLoader(train_set, batch_size=60, shuffle=True)
test_loader = DataLoader(test_set, batch_size=20)

trainer = MultiTaskTrainer(SharedTrunk())
for epoch in range(10):
    loss = trainer.train_epoch(train_loader)
    if epoch % 3 == 0 or epoch == 9:
        acc, mae = trainer.report(test_loader)
        print(f"epoch {epoch} loss {loss:.4f} acc {acc:.3f} mae {mae:.4f}")
