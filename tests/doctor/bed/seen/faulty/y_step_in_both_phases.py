# expect: test_in_train @ 36
"""The phases loop of the transfer learning tutorial; the update forgot which phase it is in."""

import time

import torch
from sklearn.datasets import load_digits
from torch import nn, optim
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
digits = load_digits()
x = torch.tensor(digits.data / 16.0, dtype=torch.float32)
y = torch.tensor(digits.target)
perm = torch.randperm(len(x))
splits = {"train": perm[:1300], "test": perm[1300:]}
datasets = {k: TensorDataset(x[ids], y[ids]) for k, ids in splits.items()}
dataloaders = {k: DataLoader(datasets[k], batch_size=50, shuffle=(k == "train")) for k in ["train", "test"]}


def train_model(model, criterion, optimizer, num_epochs):
    since = time.perf_counter()
    for epoch in range(num_epochs):
        print(f"Epoch {epoch}/{num_epochs - 1}")
        for phase in ["train", "test"]:
            if phase == "train":
                model.train()
            else:
                model.eval()
            running_loss, running_corrects = 0.0, 0
            for inputs, labels in dataloaders[phase]:
                optimizer.zero_grad()
                outputs = model(inputs)
                _, preds = torch.max(outputs, 1)
                loss = criterion(outputs, labels)
                loss.backward()
                optimizer.step()
                running_loss += loss.item() * inputs.size(0)
                running_corrects += torch.sum(preds == labels).item()
            n = len(datasets[phase])
            print(f"{phase} Loss: {running_loss / n:.4f} Acc: {running_corrects / n:.4f}")
    assert time.perf_counter() > since
    return model


model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))
train_model(model, nn.CrossEntropyLoss(), optim.Adam(model.parameters(), lr=2e-3), num_epochs=6)
