# expect: dead_relu @ 22
"""Three kinds of machine fault (multi-label) from 16 sensors, with a prior on the output bias as in RetinaNet."""
import math

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class Detector(nn.Module):
    def __init__(self, n_in, n_faults, width=64, prior=0.01):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_in, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.head = nn.Linear(width, n_faults)
        self.init_weights(-math.log((1 - prior) / prior))

    def init_weights(self, prior_bias):
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.kaiming_uniform_(m.weight, a=math.sqrt(5))
                nn.init.constant_(m.bias, prior_bias)

    def forward(self, x):
        return self.head(self.body(x))


def sensors(n, rng):
    x = rng.normal(0, 1, (n, 16))
    score = np.stack([
        x[:, 0] * x[:, 1] + x[:, 2],
        x[:, 3] + x[:, 4] - x[:, 5],
        np.abs(x[:, 6]) + x[:, 7],
    ], axis=1)
    y = score + 0.2 * rng.normal(size=score.shape) > np.array([0.6, 0.8, 1.3])
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.float32)


def focal_loss(logits, target, gamma=1.0):
    bce = nn.functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    right = torch.exp(-bce)
    return ((1 - right) ** gamma * bce).mean()


def f1_per_label(model, loader):
    model.eval()
    with torch.inference_mode():
        out = [((model(x) > 0).float(), y) for x, y in loader]
    guess, truth = (torch.cat(part) for part in zip(*out))
    hit = (guess * truth).sum(0)
    return 2 * hit / (guess.sum(0) + truth.sum(0))


torch.manual_seed(16)
rng = np.random.default_rng(16)
train_loader = DataLoader(TensorDataset(*sensors(2400, rng)), batch_size=64, shuffle=True)
test_loader = DataLoader(TensorDataset(*sensors(800, rng)), batch_size=200)
model = Detector(16, 3)
optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
for epoch in range(15):
    model.train()
    losses = []
    for x, y in train_loader:
        loss = focal_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}: focal loss {np.mean(losses):.4f}")
print("test F1 per fault:", [round(v, 3) for v in f1_per_label(model, test_loader).tolist()])
