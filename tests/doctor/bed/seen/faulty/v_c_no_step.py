# expect: no_step @ 21
# allowed: no_step @ 28
# allowed: no_step @ 30
"""Trainer class with gradient accumulation that flushes the optimizer at the end of an accumulation window."""
import torch
import torch.nn as nn
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(40)


class Trainer:
    def __init__(self, model, loader, accum=4, lr=0.01):
        self.model, self.loader, self.accum = model, loader, accum
        self.optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        self.criterion = nn.CrossEntropyLoss()

    def update(self):
        self.optimizer.zero_grad()

    def epoch(self):
        self.model.train()
        seen, total = 0, 0.0
        for i, (x, y) in enumerate(self.loader, start=1):
            loss = self.criterion(self.model(x), y)
            (loss / self.accum).backward()
            if i % self.accum == 0 or i == len(self.loader):
                self.update()
            total += loss.item() * len(y)
            seen += len(y)
        return total / seen

    def accuracy(self, x, y):
        self.model.eval()
        with torch.inference_mode():
            return (self.model(x).argmax(-1) == y).float().mean().item()


X, y = load_wine(return_X_y=True)
Xa, Xb, ya, yb = train_test_split(X, y, test_size=0.3, random_state=40, stratify=y)
mean, std = Xa.mean(0), Xa.std(0)
Xa, Xb = [torch.tensor((v - mean) / std, dtype=torch.float32) for v in (Xa, Xb)]
ya, yb = torch.tensor(ya), torch.tensor(yb)
net = nn.Sequential(nn.Linear(13, 32), nn.ReLU(), nn.Linear(32, 3))
trainer = Trainer(net, DataLoader(TensorDataset(Xa, ya), batch_size=8, shuffle=True))
for e in range(10):
    print(f"epoch {e}: loss {trainer.epoch():.4f}")
print(f"test accuracy {trainer.accuracy(Xb, yb):.3f}")
