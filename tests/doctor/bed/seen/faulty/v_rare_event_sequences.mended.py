# expect: nothing
"""Rare-event detection in sensor sequences with a GRU; few windows contain the event."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def windows(n, seed, rate=0.03, steps=15):
    g = torch.Generator().manual_seed(seed)
    y = (torch.rand(n, generator=g) < rate).float()
    x = torch.randn(n, steps, 3, generator=g)
    x = x + 0.55 * y[:, None, None] * torch.tensor([1.0, -0.6, 0.0])
    return x, y


class EventGRU(nn.Module):
    def __init__(self, hidden=16):
        super().__init__()
        self.gru = nn.GRU(3, hidden, batch_first=True)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        states, _ = self.gru(x)
        return self.out(states.mean(1)).squeeze(-1)


class Detector:
    def __init__(self, y_train):
        self.model = EventGRU()
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=2e-3)
        self.criterion = nn.BCEWithLogitsLoss(pos_weight=(y_train == 0).sum() / y_train.sum())

    def train_epoch(self, loader):
        self.model.train()
        total = 0.0
        for x, y in loader:
            self.optimizer.zero_grad()
            loss = self.criterion(self.model(x), y)
            loss.backward()
            self.optimizer.step()
            total += loss.item()
        return total / len(loader)

    @torch.no_grad()
    def measure(self, x, y):
        self.model.eval()
        hit = self.model(x) > 0
        recall = hit[y == 1].float().mean().item()
        specificity = (~hit[y == 0]).float().mean().item()
        accuracy = (hit == (y == 1)).float().mean().item()
        return accuracy, recall, (recall + specificity) / 2


torch.manual_seed(0)
x_train, y_train = windows(2000, 1)
x_test, y_test = windows(1500, 2)
detector = Detector(y_train)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=100, shuffle=True)
for epoch in range(10):
    loss = detector.train_epoch(loader)
accuracy, recall, balanced = detector.measure(x_test, y_test)
print(f"loss {loss:.4f} accuracy {accuracy:.3f} recall {recall:.3f} balanced accuracy {balanced:.3f}")
