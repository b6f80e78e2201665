# expect: dead_relu @ 36
# mend: 36 →                 nn.init.zeros_(m.bias)
# mend: 36 +         nn.init.constant_(self.head.bias, -math.log((1 - PRIOR) / PRIOR))
"""Sound events in short clips (several per clip): focal loss and the prior on the bias from the RetinaNet paper."""
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

EVENTS = ["bark", "siren", "glass", "horn"]
PRIOR = 0.02


def clips(n, seed):
    """Band energies: every event lifts its own bands, the rest is noise."""
    shapes = np.random.default_rng(0).normal(0, 1.3, (len(EVENTS), 20))
    rng = np.random.default_rng(seed)
    present = rng.random((n, len(EVENTS))) < 0.3
    energy = present @ shapes + rng.normal(0, 0.9, (n, 20))
    return torch.tensor(energy, dtype=torch.float32), torch.tensor(present, dtype=torch.float32)


class EventNet(nn.Module):
    def __init__(self, n_in, n_out, width=48):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_in, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU())
        self.head = nn.Linear(width, n_out)
        self.reset_parameters()

    def reset_parameters(self):
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, std=0.1)
                nn.init.constant_(m.bias, -math.log((1 - PRIOR) / PRIOR))

    def forward(self, x):
        return self.head(self.body(x))


def focal_loss(logits, target, gamma=1.5, alpha=0.6):
    ce = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    p_right = torch.exp(-ce)
    weight = alpha * target + (1 - alpha) * (1 - target)
    return (weight * (1 - p_right) ** gamma * ce).sum(dim=1).mean()


def fit(net, x, y, epochs=12, batch=50):
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    for epoch in range(epochs):
        net.train()
        losses = []
        for idx in torch.randperm(len(x)).split(batch):
            loss = focal_loss(net(x[idx]), y[idx])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        if epoch % 3 == 2:
            print(f"epoch {epoch + 1:2d}: focal loss {np.mean(losses):.4f}")


def f1_per_event(net, x, y):
    net.eval()
    with torch.no_grad():
        guess = (net(x) > 0).float()
    hits = (guess * y).sum(0)
    return (2 * hits / (guess.sum(0) + y.sum(0)).clamp(min=1)).tolist()


def main():
    torch.manual_seed(16)
    x_train, y_train = clips(1500, seed=1)
    x_test, y_test = clips(500, seed=2)
    mean, std = x_train.mean(0), x_train.std(0)
    x_train, x_test = (x_train - mean) / std, (x_test - mean) / std
    net = EventNet(x_train.shape[1], len(EVENTS))
    fit(net, x_train, y_train)
    scores = f1_per_event(net, x_test, y_test)
    print("test F1: " + ", ".join(f"{e} {s:.3f}" for e, s in zip(EVENTS, scores)))
    print(f"mean {np.mean(scores):.3f}")


if __name__ == "__main__":
    main()
