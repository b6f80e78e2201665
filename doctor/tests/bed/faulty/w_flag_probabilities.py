# missed: softmax_before_cross_entropy @ 53
# mend: 53 → trainer = Trainer(replace(Settings(), probabilities=False))
"""Wine cultivars by a trainer class that is told how the net is to answer."""
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from torch import nn


@dataclass
class Settings:
    width: int = 32
    lr: float = 1e-2
    epochs: int = 25
    probabilities: bool = False


class Net(nn.Module):
    def __init__(self, settings):
        super().__init__()
        self.settings = settings
        self.body = nn.Sequential(nn.Linear(13, settings.width), nn.ReLU(), nn.Linear(settings.width, 3))

    def forward(self, x):
        scores = self.body(x)
        if self.settings.probabilities:
            scores = F.softmax(scores, dim=1)
        return scores


class Trainer:
    def __init__(self, settings):
        self.settings, self.net = settings, Net(settings)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=settings.lr)

    def fit(self, x, y):
        self.net.train()
        for _ in range(self.settings.epochs):
            for rows in torch.randperm(len(x)).split(32):
                self.optimizer.zero_grad()
                F.cross_entropy(self.net(x[rows]), y[rows]).backward()
                self.optimizer.step()


torch.manual_seed(3)
x, y = load_wine(return_X_y=True)
xa, xb, ya, yb = train_test_split(x, y, test_size=0.3, random_state=3, stratify=y)
scaler = StandardScaler().fit(xa)
trainer = Trainer(replace(Settings(), probabilities=True))
trainer.fit(torch.tensor(scaler.transform(xa)).float(), torch.tensor(ya))
trainer.net.eval()
with torch.no_grad():
    said = trainer.net(torch.tensor(scaler.transform(xb)).float()).argmax(1)
print(f"accuracy {(said == torch.tensor(yb)).float().mean().item():.3f}")
