# expect: nothing
"""
GCN on a stochastic block model graph, in the manner of the `gcn.py` examples, but with plain torch:
the normalised adjacency is a sparse tensor and one forward pass handles the whole graph.
"""
import copy

import torch
import torch.nn as nn
import torch.nn.functional as F

HIDDEN, LR, WD, EPOCHS, CLASSES = 16, 0.01, 5e-4, 120, 5


def sbm_graph(seed):
    gen = torch.Generator().manual_seed(seed)
    n, d = 400, 40
    y = torch.randint(0, CLASSES, (n,), generator=gen)
    same = y[:, None] == y[None, :]
    p = torch.where(same, 0.030, 0.010)
    a = torch.triu((torch.rand(n, n, generator=gen) < p), diagonal=1)
    a = (a | a.T).float()
    centres = torch.randn(CLASSES, d, generator=gen) * 0.28
    x = centres[y] + torch.randn(n, d, generator=gen)
    order = torch.randperm(n, generator=gen)
    mask = torch.zeros(3, n, dtype=torch.bool)
    for row, part in enumerate(order.split([140, 200, 60])):
        mask[row, part] = True
    return x, y, a, dict(zip(("train", "val", "test"), mask))


def gcn_norm(a):
    a = a + torch.eye(len(a))
    d = a.sum(1).rsqrt()
    return (d[:, None] * a * d[None, :]).to_sparse()


class GCNConv(nn.Module):
    def __init__(self, d_in, d_out):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(d_in, d_out))
        self.bias = nn.Parameter(torch.zeros(d_out))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, x, adj):
        return torch.sparse.mm(adj, x @ self.weight) + self.bias


class GCN(nn.Module):
    def __init__(self, d_in):
        super().__init__()
        self.conv1, self.conv2 = GCNConv(d_in, HIDDEN), GCNConv(HIDDEN, CLASSES)

    def forward(self, x, adj):
        x = F.dropout(x, 0.5, self.training)
        x = self.conv1(x, adj).relu()
        x = F.dropout(x, 0.5, self.training)
        return self.conv2(x, adj)


def train(model, optimizer, data):
    x, y, adj, mask = data
    model.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x, adj)[mask["train"]], y[mask["train"]])
    loss.backward()
    optimizer.step()
    return loss.item()


@torch.no_grad()
def test(model, data):
    x, y, adj, mask = data
    model.eval()
    hit = model(x, adj).argmax(dim=-1) == y
    return {name: hit[m].float().mean().item() for name, m in mask.items()}


def run(seed):
    torch.manual_seed(seed)
    x, y, a, mask = sbm_graph(seed)
    mu, sigma = x[mask["train"]].mean(0), x[mask["train"]].std(0)
    data = ((x - mu) / sigma, y, gcn_norm(a), mask)
    model = GCN(x.shape[1])
    optimizer = torch.optim.Adam(model.parameters(), lr=LR, weight_decay=WD)
    best, best_state, curve = -1.0, None, []
    for epoch in range(1, EPOCHS + 1):
        loss = train(model, optimizer, data)
        acc = test(model, data)
        curve.append(acc["test"])
        if acc["val"] > best:
            best, best_state = acc["val"], copy.deepcopy(model.state_dict())
        if seed == 0 and epoch % 30 == 0:
            print(f"epoch {epoch:3d}  loss {loss:.3f}  train {acc['train']:.3f}  val {acc['val']:.3f}")
    model.load_state_dict(best_state)
    final = test(model, data)
    typical = torch.tensor(curve[EPOCHS // 2:]).median().item()
    print(f"seed {seed}: val {final['val']:.3f}  test {final['test']:.3f}  (median of the later epochs {typical:.3f})")
    return final["test"]


if __name__ == "__main__":
    scores = torch.tensor([run(s) for s in range(5)])
    print(f"test accuracy over {len(scores)} graphs: {scores.mean():.3f} +- {scores.std():.3f}")
