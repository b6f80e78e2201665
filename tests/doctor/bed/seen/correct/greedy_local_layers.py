# expect: nothing
# looks suspicious: the graph is cut between all layers by detach and each layer has its own head, optimizer
# and loss: greedy layer-local learning, nothing is meant to flow back.
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import load_digits

torch.manual_seed(0)
d = load_digits()
x, y = torch.tensor(d.data / 16, dtype=torch.float32), torch.tensor(d.target)
perm = torch.randperm(len(y))
tr, te = perm[:1500], perm[1500:]


class LocalLayer(nn.Module):
    def __init__(self, i, o):
        super().__init__()
        self.linear = nn.Linear(i, o)
        self.head = nn.Linear(o, 10)
        self.opt = torch.optim.Adam(self.parameters(), lr=5e-3)

    def forward(self, v):
        return F.relu(self.linear(v))

    def learn(self, v, target):
        h = self(v)
        loss = F.cross_entropy(self.head(h), target)
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        return h.detach(), loss.item()


layers = [LocalLayer(64, 64), LocalLayer(64, 48), LocalLayer(48, 32)]
for epoch in range(5):
    for rows in tr[torch.randperm(1500)].split(75):
        h, losses = x[rows], []
        for layer in layers:
            h, loss = layer.learn(h, y[rows])
            losses.append(round(loss, 4))
    print(f"epoch {epoch} local losses {losses}")

with torch.no_grad():
    h = x[te]
    for k, layer in enumerate(layers):
        h = layer(h)
        print(f"accuracy of head {k}", (layer.head(h).argmax(1) == y[te]).float().mean().item())
