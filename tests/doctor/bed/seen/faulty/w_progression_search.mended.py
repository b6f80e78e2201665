# expect: nothing
"""Will the disease progress more than usual? A random search over small nets, then the figure of the winner."""
import copy
import random

import torch
from torch import nn
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler


def load(seed):
    data = load_diabetes(scaled=False)
    label = (data.target > 140).astype("float32")
    dev, test = train_test_split(range(len(label)), test_size=0.25, stratify=label, random_state=seed)
    train, valid = train_test_split(dev, test_size=0.3, stratify=label[dev], random_state=seed)
    scale = StandardScaler().fit(data.data[train])
    x = torch.tensor(scale.transform(data.data), dtype=torch.float32)
    y = torch.tensor(label)
    return {name: (x[rows], y[rows]) for name, rows in dict(train=train, valid=valid, test=test).items()}


def draw_setting(rng):
    return {
        "width": rng.choice([4, 8, 16, 32]),
        "dropout": rng.choice([0.0, 0.1, 0.3]),
        "lr": rng.choice([3e-3, 1e-2]),
        "decay": rng.choice([1e-4, 1e-3, 1e-2]),
        "act": rng.choice([nn.ReLU, nn.Tanh]),
    }


def build(setting):
    return nn.Sequential(
        nn.Linear(10, setting["width"]), setting["act"](), nn.Dropout(setting["dropout"]),
        nn.Linear(setting["width"], 1), nn.Flatten(0),
    )


def train(net, rows, setting, epochs=12):
    x, y = rows
    optimizer = torch.optim.AdamW(net.parameters(), lr=setting["lr"], weight_decay=setting["decay"])
    net.train()
    for _ in range(epochs):
        for ids in torch.randperm(len(x)).split(32):
            optimizer.zero_grad()
            nn.functional.binary_cross_entropy_with_logits(net(x[ids]), y[ids]).backward()
            optimizer.step()


@torch.no_grad()
def accuracy(net, rows):
    net.eval()
    x, y = rows
    return ((net(x) > 0) == (y > 0.5)).float().mean().item()


class Search:
    def __init__(self, parts, trials, seed):
        self.parts, self.trials = parts, trials
        self.rng = random.Random(seed)
        self.best = (-1.0, None, None)

    def run(self):
        for trial in range(self.trials):
            setting = draw_setting(self.rng)
            net = build(setting)
            train(net, self.parts["train"], setting)
            value = accuracy(net, self.parts["valid"])
            if value > self.best[0]:
                self.best = (value, setting, copy.deepcopy(net))
                print(f"trial {trial:2d}: {value:.4f} with width {setting['width']}, lr {setting['lr']}")
        return self.best


def main():
    torch.manual_seed(6)
    parts = load(seed=19)
    _, setting, net = Search(parts, trials=16, seed=33).run()
    print(f"fitted rows {accuracy(net, parts['train']):.4f}")
    print(f"test rows   {accuracy(net, parts['test']):.4f}")


if __name__ == "__main__":
    main()
