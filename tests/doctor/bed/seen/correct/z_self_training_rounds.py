# expect: nothing
"""Self-training: confident rows of the unlabelled pool join the training set round by round."""

import torch
from sklearn.datasets import make_moons
from torch import nn

torch.manual_seed(0)
X, y = make_moons(700, noise=0.12, random_state=2)
X, y = torch.tensor(X).float(), torch.tensor(y)
labelled, pool, test = torch.arange(0, 40), torch.arange(40, 500), torch.arange(500, 700)
xs, ys = X[labelled], y[labelled]
for round_ in range(3):
    net = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 2))
    opt = torch.optim.Adam(net.parameters(), lr=1e-2)
    for _epoch in range(40):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(net(xs), ys)
        loss.backward()
        opt.step()
    net.eval()
    with torch.no_grad():
        p = net(X[pool]).softmax(1)
        conf, guess = p.max(1)
        sure = conf > 0.9
        acc = (net(X[test]).argmax(1) == y[test]).float().mean().item()
    print("round", round_, "labelled", len(xs), "test accuracy", round(acc, 4))
    xs = torch.cat([X[labelled], X[pool][sure]])
    ys = torch.cat([y[labelled], guess[sure]])
