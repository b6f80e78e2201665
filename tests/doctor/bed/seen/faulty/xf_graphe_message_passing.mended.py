# expect: nothing
"""Node classification on a synthetic citation graph, message passing by hand."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

SEED = 8
torch.manual_seed(SEED)
rng = np.random.default_rng(SEED)


def make_graph(n=700, n_class=4, n_word=60, deg=5):
    label = rng.permutation(np.arange(n) % n_class)
    # a node's own words say little; those of the neighbours have to be summed up
    centre = rng.normal(size=(n_class, n_word)) * 0.22
    feats = centre[label] + rng.normal(size=(n, n_word))
    src, dst = [], []
    for i in range(n):
        same = rng.choice(np.flatnonzero(label == label[i]), deg)
        other = rng.integers(0, n, 1)
        for j in np.concatenate([same, other]):
            src += [i, int(j)]
            dst += [int(j), i]
    return (torch.tensor(feats, dtype=torch.float32), torch.tensor(label),
            np.array(src), np.array(dst))


class Gather(nn.Module):
    """Mean of the transformed neighbours, joined with the node itself."""

    def __init__(self, d_in, d_msg, d_out, src, dst, n):
        super().__init__()
        self.to_msg = nn.Linear(d_in, d_msg)
        self.mix = nn.Linear(d_msg, d_out)
        self.src, self.dst, self.n = src, dst, n
        self.degree = np.bincount(dst, minlength=n).clip(1)[:, None]

    def forward(self, h):
        m = torch.tanh(self.to_msg(h))
        total = torch.zeros(self.n, m.shape[1]).index_add(
            0, torch.as_tensor(self.dst), m[torch.as_tensor(self.src)])
        mean = total / torch.as_tensor(self.degree, dtype=torch.float32)
        return self.mix(mean)


x, y, src, dst = make_graph()
n = len(y)
order = torch.from_numpy(rng.permutation(n))
train_idx, test_idx = order[:350], order[350:]

net = nn.Sequential(
    Gather(60, 6, 16, src, dst, n),
    nn.ReLU(),
    nn.Linear(16, 4),
)
opt = torch.optim.Adam(net.parameters(), lr=0.01, weight_decay=1e-3)

for epoch in range(1, 101):
    net.train()
    opt.zero_grad()
    logits = net(x)
    loss = F.cross_entropy(logits[train_idx], y[train_idx])
    loss.backward()
    opt.step()
    if epoch % 25 == 0:
        print(f"epoch {epoch}: loss {loss.item():.3f}")

net.eval()
with torch.no_grad():
    guess = net(x).argmax(1)
for name, idx in (("train", train_idx), ("test", test_idx)):
    print(f"{name} accuracy {(guess[idx] == y[idx]).float().mean():.3f}")
