# expect: nothing
# looks suspicious: accumulation grows during warm-up so that steps come at uneven intervals, biases start at
# a high learning rate, the net that is tested (the average) belongs to no optimizer.
import math
from copy import deepcopy

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset


class ModelEMA:
    def __init__(self, model, decay=0.99, tau=30):
        self.ema = deepcopy(model).eval()
        self.updates = 0
        self.decay = lambda x: decay * (1 - math.exp(-x / tau))
        for p in self.ema.parameters():
            p.requires_grad_(False)

    def update(self, model):
        self.updates += 1
        d = self.decay(self.updates)
        msd = model.state_dict()
        for k, v in self.ema.state_dict().items():
            if v.dtype.is_floating_point:
                v *= d
                v += (1 - d) * msd[k].detach()


def smart_optimizer(model, lr=0.05, momentum=0.9, decay=5e-4):
    g = [], [], []
    for m in model.modules():
        for name, p in m.named_parameters(recurse=False):
            g[2 if name == "bias" else 1 if isinstance(m, nn.BatchNorm2d) else 0].append(p)
    optimizer = torch.optim.SGD(g[2], lr=lr, momentum=momentum, nesterov=True)
    optimizer.add_param_group({"params": g[0], "weight_decay": decay})
    optimizer.add_param_group({"params": g[1], "weight_decay": 0.0})
    return optimizer


torch.manual_seed(0)
hyp = {"lrf": 0.1, "warmup_epochs": 1.0, "warmup_bias_lr": 0.1, "warmup_momentum": 0.8, "momentum": 0.9}
nbs, batch_size, epochs = 64, 16, 4
digits = load_digits()
x, y = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1), torch.tensor(digits.target)
train_loader = DataLoader(TensorDataset(x[:1400], y[:1400]), batch_size, shuffle=True, drop_last=True)
model = nn.Sequential(
    nn.Conv2d(1, 12, 3, padding=1, bias=False),
    nn.BatchNorm2d(12),
    nn.SiLU(),
    nn.Flatten(),
    nn.Linear(768, 10),
)
optimizer = smart_optimizer(model)
lf = lambda e: (1 - e / epochs) * (1.0 - hyp["lrf"]) + hyp["lrf"]  # noqa: E731
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lr_lambda=lf)
ema = ModelEMA(model)
scaler = torch.amp.GradScaler("cpu", enabled=False)
nb, last_opt_step = len(train_loader), -1
nw = round(hyp["warmup_epochs"] * nb)

for epoch in range(epochs):
    model.train()
    mloss = 0.0
    optimizer.zero_grad()
    for i, (imgs, targets) in enumerate(train_loader):
        ni = i + nb * epoch
        imgs = imgs / 16
        accumulate = max(round(nbs / batch_size), 1)
        if ni <= nw:
            accumulate = max(1, np.interp(ni, [0, nw], [1, nbs / batch_size]).round())
            for j, group in enumerate(optimizer.param_groups):
                start = hyp["warmup_bias_lr"] if j == 0 else 0.0
                group["lr"] = np.interp(ni, [0, nw], [start, group["initial_lr"] * lf(epoch)])
                group["momentum"] = np.interp(ni, [0, nw], [hyp["warmup_momentum"], hyp["momentum"]])
        loss = nn.functional.cross_entropy(model(imgs), targets) * batch_size / nbs
        scaler.scale(loss).backward()
        if ni - last_opt_step >= accumulate:
            scaler.unscale_(optimizer)
            torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm=10.0)
            scaler.step(optimizer)
            scaler.update()
            optimizer.zero_grad()
            ema.update(model)
            last_opt_step = ni
        mloss = (mloss * i + loss.item() * nbs / batch_size) / (i + 1)
    scheduler.step()
    with torch.no_grad():
        acc = (ema.ema(x[1400:] / 16).argmax(1) == y[1400:]).float().mean().item()
    print(f"{epoch}/{epochs - 1} loss {mloss:.4f} acc {acc:.3f} lr {optimizer.param_groups[1]['lr']:.4f}")
