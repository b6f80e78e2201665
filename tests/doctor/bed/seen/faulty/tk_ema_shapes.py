# expect: missing_eval @ 51
# allowed: missing_eval @ 53
"""Small CNN on drawn shapes; the exponential average of its weights is what gets reported."""
import copy

import numpy as np
import torch
import torch.nn as nn


def draw(n, rng, size=14):
    yy, xx = np.mgrid[:size, :size]
    imgs, labels = np.zeros((n, 1, size, size), np.float32), rng.integers(0, 3, n)
    for i, k in enumerate(labels):
        cy, cx, r = rng.uniform(5, 9), rng.uniform(5, 9), rng.uniform(2.5, 4.5)
        dy, dx = np.abs(yy - cy), np.abs(xx - cx)
        mask = [np.hypot(dy, dx) < r, np.maximum(dy, dx) < r * 0.88, np.minimum(dy, dx) < r * 0.3][k]
        imgs[i, 0] = mask + rng.normal(0, 0.25, (size, size))
    imgs -= 0.3
    return torch.from_numpy(imgs), torch.from_numpy(labels)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 12, 3, padding=1, bias=False), nn.BatchNorm2d(12), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(12, 24, 3, padding=1, bias=False), nn.BatchNorm2d(24), nn.ReLU(), nn.AdaptiveAvgPool2d(2))
        self.head = nn.Sequential(nn.Flatten(), nn.Dropout(0.4), nn.Linear(96, 3))

    def forward(self, x):
        return self.head(self.features(x))


class Ema:
    def __init__(self, model, decay=0.95):
        self.decay = decay
        self.module = copy.deepcopy(model)
        for p in self.module.parameters():
            p.requires_grad_(False)

    @torch.no_grad()
    def update(self, model):
        for avg, new in zip(self.module.parameters(), model.parameters()):
            avg.lerp_(new, 1 - self.decay)
        for avg, new in zip(self.module.buffers(), model.buffers()):
            avg.copy_(new)


def validate(model, ema, x, y):
    model.eval()
    with torch.inference_mode():
        logits = torch.cat([ema.module(b) for b in x.split(50)])
    return (logits.argmax(1) == y).float().mean().item()


torch.manual_seed(11)
rng = np.random.default_rng(11)
x_train, y_train = draw(700, rng)
x_test, y_test = draw(400, rng)

model = Net()
ema = Ema(model)
opt = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True, weight_decay=1e-4)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=8)
criterion = nn.CrossEntropyLoss(label_smoothing=0.05)

for epoch in range(8):
    model.train()
    seen = 0.0
    for idx in torch.randperm(700).split(50):
        loss = criterion(model(x_train[idx]), y_train[idx])
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        ema.update(model)
        seen += loss.item() * len(idx)
    sched.step()
    print(f"epoch {epoch + 1} loss {seen / 700:.4f}")
print(f"EMA test accuracy {validate(model, ema, x_test, y_test):.4f}")
