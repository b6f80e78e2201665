# expect: nothing
"""Transfer between digits: a trunk learnt on 0-4 is frozen, a new head learns 5-9, then all is fine-tuned gently; fastai-like."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn


class Recorder:
    def __init__(self):
        self.losses, self.lrs = [], []

    def __call__(self, learn, loss):
        self.losses.append(loss.detach())
        self.lrs.append(learn.opt.param_groups[-1]["lr"])


class Learner:
    def __init__(self, trunk, head, batch=50):
        self.trunk, self.head, self.batch = trunk, head, batch
        self.model = nn.Sequential(trunk, head)
        self.frozen = False
        self.recorder = Recorder()

    def freeze(self):
        self.frozen = True
        self.trunk.requires_grad_(False)
        return self

    def unfreeze(self):
        self.frozen = False
        self.trunk.requires_grad_(True)
        return self

    def fit_one_cycle(self, x, y, epochs, lr, trunk_factor=1.0):
        groups = [{"params": self.head.parameters(), "lr": lr}]
        if not self.frozen:
            groups.insert(0, {"params": self.trunk.parameters(), "lr": lr * trunk_factor})
        self.opt = torch.optim.AdamW(groups, weight_decay=0.01)
        steps = epochs * -(-len(y) // self.batch)
        schedule = torch.optim.lr_scheduler.OneCycleLR(self.opt, [g["lr"] for g in groups], total_steps=steps, pct_start=0.25)
        for _ in range(epochs):
            self.model.train()
            if self.frozen:
                self.trunk.eval()
            for rows in torch.randperm(len(y)).split(self.batch):
                loss = F.cross_entropy(self.model(x[rows]), y[rows])
                self.opt.zero_grad()
                loss.backward()
                self.opt.step()
                schedule.step()
                self.recorder(self, loss)
        print(f"{'head' if self.frozen else 'all '}: loss {torch.stack(self.recorder.losses[-10:]).mean().item():.4f}")
        return self

    def accuracy(self, x, y):
        self.model.eval()
        with torch.inference_mode():
            return (self.model(x).argmax(1) == y).float().mean().item()


def trunk_net():
    return nn.Sequential(nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
                         nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Dropout(0.1))


def halves():
    d = load_digits()
    train, test = train_test_split(range(len(d.target)), test_size=0.3, stratify=d.target, random_state=27)
    images, labels = torch.tensor(d.images / 8.0 - 1.0, dtype=torch.float32)[:, None], torch.tensor(d.target)
    out = []
    for low in (0, 5):
        for rows in (train, test):
            x, y = images[rows], labels[rows]
            mine = (y >= low) & (y < low + 5)
            out.append((x[mine], y[mine] - low))
    return out


torch.manual_seed(27)
train_a, test_a, train_b, test_b = halves()
source = Learner(trunk_net(), nn.Linear(128, 5)).fit_one_cycle(*train_a, epochs=6, lr=5e-3)
print(f"0-4: test accuracy {source.accuracy(*test_a):.3f}")
few = [part[:150] for part in train_b]
target = Learner(source.trunk, nn.Linear(128, 5)).freeze().fit_one_cycle(*few, epochs=10, lr=1e-2)
target.unfreeze().fit_one_cycle(*few, epochs=10, lr=3e-3, trunk_factor=0.3)
print(f"5-9 from 150 images: test accuracy {target.accuracy(*test_b):.3f}")
