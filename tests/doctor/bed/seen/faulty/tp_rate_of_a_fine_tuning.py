# expect: lr_too_low @ 13
"""Handwritten digits with a net from scratch, at the rate that a language model is tuned with."""

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

SETTINGS = {
    "epochs": 3,
    # from the recipe
    "rate": 2e-5,
    "batch": 64,
}


def loaders(batch):
    pixels, digit = load_digits(return_X_y=True)
    a, b, ya, yb = train_test_split(pixels / 16, digit, test_size=0.25, stratify=digit, random_state=1)
    made = [TensorDataset(torch.tensor(x).float(), torch.tensor(y)) for x, y in ((a, ya), (b, yb))]
    return DataLoader(made[0], batch_size=batch, shuffle=True), DataLoader(made[1], batch_size=256)


def main():
    torch.manual_seed(6)
    fit_on, check_on = loaders(SETTINGS["batch"])
    net = nn.Sequential(nn.Linear(64, 48), nn.GELU(), nn.Linear(48, 10))
    optimizer = torch.optim.AdamW(net.parameters(), lr=SETTINGS["rate"])
    objective = nn.CrossEntropyLoss()
    for epoch in range(SETTINGS["epochs"]):
        net.train()
        for x, y in fit_on:
            loss = objective(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        print(f"epoch {epoch}: {loss.item():.4f}")
    net.eval()
    with torch.no_grad():
        right = sum((net(x).argmax(1) == y).sum().item() for x, y in check_on)
    print(f"accuracy {right / len(check_on.dataset):.3f}")


main()
