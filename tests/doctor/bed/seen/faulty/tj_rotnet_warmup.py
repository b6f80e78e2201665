# expect: scheduler_misuse @ 26
# allowed: scheduler_misuse @ 24
# allowed: scheduler_misuse @ 58
# allowed: scheduler_misuse @ 59
"""RotNet: which of four quarter turns was applied to a digit? Warm-up and cosine decay by LambdaLR."""
import math
from types import SimpleNamespace

import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

hp = SimpleNamespace(lr=4e-3, warmup=20, epochs=10, batch=64, width=12, seed=8)


def rotated(images):
    """A table [turn, image, 1, 8, 8] of all four turns of every image."""
    return torch.stack([torch.rot90(images, k, dims=(2, 3)) for k in range(4)])


def warmup_cosine(step, total):
    if step < hp.warmup:
        return hp.lr * (step + 1) / hp.warmup
    progress = (step - hp.warmup) / (total - hp.warmup)
    return hp.lr * 0.5 * (1 + math.cos(math.pi * progress))


class RotNet(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Conv2d(1, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 3, padding=1), nn.ReLU(), nn.Flatten(),
        )
        self.head = nn.Sequential(nn.Linear(2 * width * 16, 64), nn.ReLU(), nn.Linear(64, 4))

    def forward(self, x):
        return self.head(self.backbone(x))


def batches(table, size):
    """One turn per image, drawn anew in every epoch."""
    for index in torch.randperm(table.shape[1]).split(size):
        turn = torch.randint(0, 4, (len(index),))
        yield table[turn, index], turn


torch.manual_seed(hp.seed)
torch.set_num_threads(1)
images = torch.tensor(load_digits().images, dtype=torch.float32).unsqueeze(1) / 16
images = images[torch.randperm(len(images))]
train_table, test_table = rotated(images[:1400]), rotated(images[1400:])
steps_per_epoch = math.ceil(train_table.shape[1] / hp.batch)

net = RotNet(hp.width)
criterion = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(net.parameters(), lr=hp.lr)
scheduler = LambdaLR(optimizer, lambda step: warmup_cosine(step, hp.epochs * steps_per_epoch))

for epoch in range(hp.epochs):
    net.train()
    total = 0.0
    for x, turn in batches(train_table, hp.batch):
        loss = criterion(net(x), turn)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
        total += loss.item()
    print(f"epoch {epoch + 1}: rotation loss {total / steps_per_epoch:.4f}")

net.eval()
turn_test = torch.arange(4).repeat_interleave(test_table.shape[1])
with torch.no_grad():
    guess = net(test_table.flatten(0, 1)).argmax(dim=1)
print(f"rotation accuracy on new digits: {(guess == turn_test).float().mean().item():.4f}")
