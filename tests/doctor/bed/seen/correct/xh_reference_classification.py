# expect: nothing
# Reference-style classification training: metric logger, warmup + cosine, label smoothing, compile
import time
from collections import defaultdict

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


class SmoothedValue:
    def __init__(self):
        self.total, self.count = 0.0, 0

    def update(self, value, n=1):
        self.total += value * n
        self.count += n

    @property
    def global_avg(self):
        return self.total / self.count


class MetricLogger:
    def __init__(self):
        self.meters = defaultdict(SmoothedValue)

    def update(self, n, **kwargs):
        for name, value in kwargs.items():
            self.meters[name].update(value, n)

    def __str__(self):
        return "  ".join(f"{k} {m.global_avg:.4f}" for k, m in self.meters.items())


class BasicBlock(nn.Module):
    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = nn.Sequential(nn.Conv2d(cin, cout, 1, stride, bias=False), nn.BatchNorm2d(cout))

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        return self.relu(out + self.downsample(x))


def build_model(num_classes=10):
    model = nn.Sequential(
        BasicBlock(1, 12, 1), BasicBlock(12, 24, 2),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, num_classes))
    for m in model.modules():
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
    return model


def accuracy(output, target, topk=(1,)):
    _, pred = output.topk(max(topk), dim=1)
    correct = pred.eq(target[:, None])
    return [correct[:, :k].any(dim=1).float().mean().item() for k in topk]


def train_one_epoch(model, criterion, optimizer, scheduler, loader):
    model.train()
    logger = MetricLogger()
    for image, target in loader:
        output = model(image)
        loss = criterion(output, target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        logger.update(len(target), loss=loss.item(), acc1=accuracy(output.detach(), target)[0])
    return logger


def evaluate(model, criterion, loader):
    model.eval()
    logger = MetricLogger()
    with torch.inference_mode():
        for image, target in loader:
            output = model(image)
            acc1, acc3 = accuracy(output, target, topk=(1, 3))
            logger.update(len(target), loss=criterion(output, target).item(), acc1=acc1, acc3=acc3)
    return logger


def main(epochs=6, batch_size=64, lr=0.1):
    torch.manual_seed(0)
    x, y = load_digits(return_X_y=True)
    x = torch.tensor(x, dtype=torch.float32).view(-1, 1, 8, 8) / 16.0
    x_train, x_test, y_train, y_test = train_test_split(x, torch.tensor(y), test_size=357, stratify=y, random_state=0)
    mean, std = x_train.mean(), x_train.std()
    train_set = torch.utils.data.TensorDataset((x_train - mean) / std, y_train)
    test_set = torch.utils.data.TensorDataset((x_test - mean) / std, y_test)
    train_loader = torch.utils.data.DataLoader(train_set, batch_size=batch_size, shuffle=True, drop_last=True)
    test_loader = torch.utils.data.DataLoader(test_set, batch_size=128)

    base = build_model()
    model = torch.compile(base, backend="eager")
    criterion = nn.CrossEntropyLoss(label_smoothing=0.05)
    optimizer = torch.optim.SGD(base.parameters(), lr=lr, momentum=0.9, weight_decay=1e-4, nesterov=True)
    steps = len(train_loader)
    scheduler = torch.optim.lr_scheduler.SequentialLR(
        optimizer,
        [torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.1, total_iters=steps),
         torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=(epochs - 1) * steps)],
        milestones=[steps])
    start = time.time()
    for epoch in range(epochs):
        print(f"Epoch [{epoch}] train  {train_one_epoch(model, criterion, optimizer, scheduler, train_loader)}")
    print(f"Test: {evaluate(model, criterion, test_loader)}")
    print(f"Training time {time.time() - start:.1f} s")


if __name__ == "__main__":
    main()
