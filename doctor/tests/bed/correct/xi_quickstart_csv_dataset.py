# expect: nothing
"""Quickstart with a custom Dataset that reads a CSV (written here to memory)."""
import io

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset

torch.manual_seed(2024)


def write_csv(n=1500):
    rng = np.random.default_rng(2024)
    length = rng.normal(5.8, 0.8, n)
    width = rng.normal(3.0, 0.4, n)
    colour = rng.choice(["red", "green", "blue"], n)
    shift = np.select([colour == "red", colour == "green"], [1.0, 0.0], -1.0)
    score = length - 1.5 * width + shift + rng.normal(0, 0.3, n)
    label = np.digitize(score, np.quantile(score, [1 / 3, 2 / 3]))
    buf = io.StringIO()
    pd.DataFrame({"length": length, "width": width, "colour": colour, "label": label}).to_csv(buf, index=False)
    buf.seek(0)
    return buf


class FlowerDataset(Dataset):
    COLOURS = {"red": 0, "green": 1, "blue": 2}

    def __init__(self, csv_file, transform=None):
        self.frame = pd.read_csv(csv_file)
        self.numbers = torch.tensor(self.frame[["length", "width"]].values, dtype=torch.float32)
        self.colours = torch.tensor(self.frame["colour"].map(self.COLOURS).values)
        self.labels = torch.tensor(self.frame["label"].values)
        self.transform = transform

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, idx):
        numbers = self.numbers[idx]
        if self.transform:
            numbers = self.transform(numbers)
        return numbers, self.colours[idx], self.labels[idx]


class Normalize:
    def __init__(self, numbers):
        self.mean, self.std = numbers.mean(dim=0), numbers.std(dim=0)

    def __call__(self, numbers):
        return (numbers - self.mean) / self.std


dataset = FlowerDataset(write_csv())
perm = torch.randperm(len(dataset)).tolist()
train_rows, test_rows = perm[:1200], perm[1200:]
dataset.transform = Normalize(dataset.numbers[train_rows])
train_dataloader = DataLoader(Subset(dataset, train_rows), batch_size=64, shuffle=True)
test_dataloader = DataLoader(Subset(dataset, test_rows), batch_size=64)


class NeuralNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(3, 2)
        self.stack = nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 3))

    def forward(self, numbers, colour):
        return self.stack(torch.cat([numbers, self.embed(colour)], dim=1))


def train(dataloader, model, loss_fn, optimizer):
    model.train()
    for batch, (numbers, colour, label) in enumerate(dataloader):
        loss = loss_fn(model(numbers, colour), label)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        if batch % 10 == 0:
            print(f"loss: {loss.item():>7f}")


def test(dataloader, model, loss_fn):
    model.eval()
    test_loss, correct, size = 0.0, 0, len(dataloader.dataset)
    with torch.no_grad():
        for numbers, colour, label in dataloader:
            pred = model(numbers, colour)
            test_loss += loss_fn(pred, label).item() * len(label)
            correct += (pred.argmax(1) == label).sum().item()
    print(f"Test Error: Accuracy: {100 * correct / size:>0.1f}%, Avg loss: {test_loss / size:>8f}")


model = NeuralNetwork()
loss_fn = nn.CrossEntropyLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
for t in range(8):
    print(f"Epoch {t + 1}\n-------------------------------")
    train(train_dataloader, model, loss_fn, optimizer)
test(test_dataloader, model, loss_fn)
