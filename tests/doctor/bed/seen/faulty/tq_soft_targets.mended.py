# expect: nothing
"""A small net learns what a large one says of each digit."""
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
pictures, digits = load_digits(return_X_y=True)
x, y = torch.tensor(pictures / 16, dtype=torch.float32), torch.tensor(digits)
order = torch.randperm(len(x))
train, test = order[:1400], order[1400:]
large = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 10))
small = nn.Sequential(nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 10))
optimizer = torch.optim.Adam(large.parameters(), lr=3e-3)
for epoch in range(10):
    for rows in train[torch.randperm(len(train))].split(100):
        optimizer.zero_grad()
        F.cross_entropy(large(x[rows]), y[rows]).backward()
        optimizer.step()

optimizer = torch.optim.Adam(small.parameters(), lr=5e-3)
for epoch in range(15):
    for rows in train[torch.randperm(len(train))].split(100):
        with torch.no_grad():
            scores = large(x[rows])
            said = torch.softmax(scores / 2.0, dim=1)
        guess = F.log_softmax(small(x[rows]) / 2.0, dim=1)
        loss = F.kl_div(guess, said, reduction="batchmean")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(epoch, round(loss.item(), 4))
with torch.no_grad():
    print("right:", round((small(x[test]).argmax(1) == y[test]).float().mean().item(), 3))
