# expect: nothing
# looks suspicious: rows occur several times in a training set, and rows that one net is scored on train the
# next: bootstrap members, each scored on what it did not draw.
import torch
from sklearn.datasets import load_diabetes
from torch import nn

torch.manual_seed(0)
X, y = load_diabetes(return_X_y=True)
X, y = torch.tensor(X).float() * 20, torch.tensor((y - 152) / 77).float()
n, members = len(X), 6
votes, counts = torch.zeros(n), torch.zeros(n)

for member in range(members):
    bag = torch.randint(0, n, (n,))
    out_of_bag = torch.ones(n, dtype=torch.bool)
    out_of_bag[bag] = False
    net = nn.Sequential(nn.Linear(10, 16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0))
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3, weight_decay=1e-3)
    net.train()
    for _ in range(8):
        for rows in bag[torch.randperm(n)].split(34):
            loss = nn.functional.mse_loss(net(X[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    net.eval()
    with torch.no_grad():
        z = net(X[out_of_bag])
    votes[out_of_bag] += z
    counts[out_of_bag] += 1
    alone = nn.functional.mse_loss(z, y[out_of_bag]).item()
    print(f"member {member}: loss {loss.item():.3f}, out of bag {alone:.3f} on {len(z)} rows")
seen = counts > 0
ensemble = nn.functional.mse_loss(votes[seen] / counts[seen], y[seen]).item()
print(f"ensemble out of bag mse {ensemble:.3f} on {int(seen.sum())} rows")
