# expect: nothing
"""Digits in a pandas frame, ordered by class for inspection, then fitted with a small MLP."""
import pandas as pd
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def load_frames():
    raw = load_digits()
    df = pd.DataFrame(raw.data / 16.0 - 0.3)
    df["label"] = raw.target
    train, test = train_test_split(df, test_size=0.25, random_state=0, stratify=df["label"])
    train = train.sort_values("label").reset_index(drop=True)
    print("rows per class:", train.groupby("label").size().tolist())
    return train, test


def to_dataset(df):
    x = torch.tensor(df.drop(columns="label").to_numpy(), dtype=torch.float32)
    return TensorDataset(x, torch.tensor(df["label"].to_numpy()))


def make_loader(df, training, batch_size=32):
    return DataLoader(to_dataset(df), batch_size=batch_size, shuffle=training, drop_last=training)


def main():
    torch.manual_seed(0)
    train_df, test_df = load_frames()
    train_loader, test_loader = make_loader(train_df, True), make_loader(test_df, False)
    net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    for epoch in range(10):
        net.train()
        for x, y in train_loader:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            opt.step()
        net.eval()
        with torch.no_grad():
            ok = sum((net(x).argmax(1) == y).sum().item() for x, y in test_loader)
        print(f"epoch {epoch} loss {loss.item():.4f} test accuracy {ok / len(test_df):.4f}")


main()
