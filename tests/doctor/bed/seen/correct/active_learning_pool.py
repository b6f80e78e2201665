# expect: nothing
# looks suspicious: the network predicts rows in eval mode that later appear in training: an unlabelled pool
# is asked for its least certain rows, which then get labels; the optimizer is made anew each round.
import torch
from sklearn.datasets import load_digits
from torch import nn

torch.manual_seed(0)
d = load_digits()
x, y = torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target)
perm = torch.randperm(len(y))
test, pool, labelled = perm[:400], perm[400:1760], perm[1760:]

for rnd in range(4):
    model = nn.Sequential(nn.Linear(64, 40), nn.ReLU(), nn.Dropout(0.2), nn.Linear(40, 10))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    model.train()
    for _ in range(25):
        for rows in labelled[torch.randperm(len(labelled))].split(32):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
    model.eval()
    with torch.no_grad():
        acc = (model(x[test]).argmax(1) == y[test]).float().mean().item()
        p = model(x[pool]).softmax(1).sort(1, descending=True).values
    print(f"round {rnd}: {len(labelled)} labels, loss {loss.item():.4f}, test accuracy {acc:.4f}")
    ask = (p[:, 0] - p[:, 1]).argsort()[:60]
    labelled = torch.cat([labelled, pool[ask]])
    keep = torch.ones(len(pool), dtype=torch.bool)
    keep[ask] = False
    pool = pool[keep]
