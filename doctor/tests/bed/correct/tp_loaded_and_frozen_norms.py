# expect: nothing
"""Fine-tuning of loaded weights with the batch norms as they were: the whole net stays in eval mode."""
import io

import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

torch.manual_seed(0)
x, y = load_digits(return_X_y=True)
x = torch.tensor(x / 16, dtype=torch.float32)
y = torch.tensor(y)
rest, test = train_test_split(torch.arange(len(y)), test_size=0.25, random_state=0, stratify=y)
first, second = train_test_split(rest, test_size=0.4, random_state=0, stratify=y[rest])


def make():
    return nn.Sequential(nn.Linear(64, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Dropout(0.2), nn.Linear(64, 10))


def fit(net, rows, epochs, lr):
    optimizer = torch.optim.Adam(net.parameters(), lr=lr)
    for _ in range(epochs):
        for batch in rows[torch.randperm(len(rows))].split(32):
            loss = nn.functional.cross_entropy(net(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


def accuracy(net):
    net.eval()
    with torch.no_grad():
        return (net(x[test]).argmax(1) == y[test]).float().mean().item()


source = make()
fit(source, first, epochs=10, lr=3e-3)
print(f"before {accuracy(source):.3f}")
saved = io.BytesIO()
torch.save(source.state_dict(), saved)
saved.seek(0)

tuned = make()
tuned.load_state_dict(torch.load(saved))
tuned.eval()
fit(tuned, second, epochs=5, lr=3e-4)
print(f"after {accuracy(tuned):.3f}")
