# expect: sorted_split @ 11
"""A data frame sorted by its label is cut with iloc."""

import torch
from sklearn.datasets import load_iris
from torch import nn

torch.manual_seed(1)
frame = load_iris(as_frame=True).frame
n = int(len(frame) * 0.7)
train, val = frame.iloc[:n], frame.iloc[n:]


def to_tensors(part):
    x = torch.tensor(part.drop(columns="target").to_numpy(), dtype=torch.float32)
    return x / 5, torch.tensor(part["target"].to_numpy())


x_train, y_train = to_tensors(train)
x_val, y_val = to_tensors(val)
net = nn.Sequential(nn.Linear(4, 16), nn.Tanh(), nn.Linear(16, 3))
opt = torch.optim.Adam(net.parameters(), lr=0.02)
for _epoch in range(60):
    loss = nn.functional.cross_entropy(net(x_train), y_train)
    opt.zero_grad()
    loss.backward()
    opt.step()
net.eval()
with torch.no_grad():
    logits = net(x_val)
    print("val loss", nn.functional.cross_entropy(logits, y_val).item())
    print("val acc", (logits.argmax(-1) == y_val).float().mean().item())
