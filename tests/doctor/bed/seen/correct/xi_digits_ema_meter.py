# expect: nothing
"""Compact training script in the timm manner: meters, weight EMA, warmup + cosine, label smoothing."""
import copy
import math

import torch
import torch.nn as nn
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(42)


class AverageMeter:
    def __init__(self):
        self.sum, self.count = 0.0, 0

    def update(self, val, n=1):
        self.sum += val * n
        self.count += n

    @property
    def avg(self):
        return self.sum / self.count


class ModelEma(nn.Module):
    def __init__(self, model, decay=0.97):
        super().__init__()
        self.module = copy.deepcopy(model).eval()
        self.decay = decay
        for p in self.module.parameters():
            p.requires_grad_(False)

    @torch.no_grad()
    def update(self, model):
        for ema_v, v in zip(self.module.state_dict().values(), model.state_dict().values()):
            if ema_v.dtype.is_floating_point:
                ema_v.lerp_(v, 1.0 - self.decay)
            else:
                ema_v.copy_(v)


class SmallConvNet(nn.Module):
    def __init__(self, num_classes=10):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True),
            nn.Conv2d(16, 32, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(inplace=True),
        )
        self.head = nn.Linear(32 * 16, num_classes)

    def forward(self, x):
        return self.head(self.features(x).flatten(1))


digits = load_digits()
images = torch.tensor(digits.images / 16.0, dtype=torch.float32).unsqueeze(1)
targets = torch.tensor(digits.target)
tr, va = train_test_split(torch.arange(len(targets)).numpy(), test_size=0.25, stratify=digits.target, random_state=42)
mean, std = images[tr].mean(), images[tr].std()
images = (images - mean) / std
loader_train = DataLoader(TensorDataset(images[tr], targets[tr]), batch_size=64, shuffle=True, drop_last=True)
loader_eval = DataLoader(TensorDataset(images[va], targets[va]), batch_size=128)

model = SmallConvNet()
model_ema = ModelEma(model)
optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3, weight_decay=0.02)
epochs, warmup = 6, 20
total = epochs * len(loader_train)


def lr_lambda(step):
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / (total - warmup)))


scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lr_lambda)
train_loss_fn = nn.CrossEntropyLoss(label_smoothing=0.1)
validate_loss_fn = nn.CrossEntropyLoss()


def validate(net, loader):
    losses_m, top1_m = AverageMeter(), AverageMeter()
    net.eval()
    with torch.no_grad():
        for x, target in loader:
            output = net(x)
            losses_m.update(validate_loss_fn(output, target).item(), x.size(0))
            top1_m.update((output.argmax(1) == target).float().mean().item() * 100, x.size(0))
    return losses_m.avg, top1_m.avg


for epoch in range(epochs):
    model.train()
    losses_m = AverageMeter()
    for x, target in loader_train:
        loss = train_loss_fn(model(x), target)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        scheduler.step()
        model_ema.update(model)
        losses_m.update(loss.item(), x.size(0))
    loss_v, top1 = validate(model, loader_eval)
    loss_e, top1_e = validate(model_ema.module, loader_eval)
    print(f"Train: {epoch} Loss: {losses_m.avg:.3f}  Test: {loss_v:.3f} Acc@1 {top1:.2f}  (EMA) {loss_e:.3f} Acc@1 {top1_e:.2f}")
