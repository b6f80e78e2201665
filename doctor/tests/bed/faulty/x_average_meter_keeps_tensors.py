# expect: graph_kept_alive @ 39
# mend: 39 →         losses.update(loss.item(), len(rows))
"""Image classifier in the manner of the ImageNet scripts, with an AverageMeter for the progress line."""

import torch
import torch.nn as nn
from sklearn.datasets import load_digits


class AverageMeter:
    def __init__(self, name):
        self.name = name
        self.reset()

    def reset(self):
        self.val, self.avg, self.sum, self.count = 0, 0, 0, 0

    def update(self, val, n=1):
        self.val = val
        self.sum += val * n
        self.count += n
        self.avg = self.sum / self.count

    def __str__(self):
        return f"{self.name} {self.val:.4f} ({self.avg:.4f})"


def accuracy(output, target):
    with torch.no_grad():
        return (output.argmax(1) == target).float().mean().mul(100).item()


def train(images, labels, model, criterion, optimizer, epoch):
    losses, top1 = AverageMeter("Loss"), AverageMeter("Acc@1")
    model.train()
    for i, rows in enumerate(torch.randperm(len(images)).split(64)):
        output = model(images[rows])
        loss = criterion(output, labels[rows])
        losses.update(loss, len(rows))
        top1.update(accuracy(output, labels[rows]), len(rows))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if i % 14 == 0:
            print(f"Epoch: [{epoch}][{i:2d}]", losses, top1, sep="\t")


torch.manual_seed(0)
digits = load_digits()
images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
labels = torch.tensor(digits.target)
model = nn.Sequential(
    nn.Conv2d(1, 8, 3, padding=1),
    nn.BatchNorm2d(8),
    nn.ReLU(),
    nn.MaxPool2d(2),
    nn.Flatten(),
    nn.Linear(128, 10),
)
optimizer = torch.optim.SGD(model.parameters(), 0.05, momentum=0.9, weight_decay=1e-4)
for epoch in range(2):
    train(images, labels, model, nn.CrossEntropyLoss(), optimizer, epoch)
