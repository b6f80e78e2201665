# expect: detached_graph @ 39
# mend: 39 →         return torch.sparse.mm(adj, h)
# mend: 62 →     coo = normalise(a).tocoo()
# mend: 62 +     adj = torch.sparse_coo_tensor(np.stack([coo.row, coo.col]), coo.data, coo.shape).coalesce()
"""Two-layer GCN on a synthetic citation graph (stochastic block model with noisy bag-of-words), after Kipf & Welling."""
import numpy as np
import scipy.sparse as sp
import torch
import torch.nn as nn
import torch.nn.functional as F

N_PER, C, VOCAB = 150, 4, 60


def make_graph(rng):
    y = np.repeat(np.arange(C), N_PER)
    n = len(y)
    p = np.where(y[:, None] == y[None, :], 0.03, 0.004)
    a = np.triu(rng.random((n, n)) < p, 1)
    a = sp.csr_matrix((a | a.T).astype(np.float32))
    topics = rng.dirichlet(np.full(VOCAB, 0.6), size=C)
    words = np.stack([rng.multinomial(12, 0.5 * topics[c] + 0.5 / VOCAB) for c in y])
    return a, words.astype(np.float32) / 12.0, y


def normalise(a):
    a = a + sp.eye(a.shape[0], dtype=np.float32)
    d = sp.diags(np.asarray(a.sum(1)).ravel() ** -0.5)
    return (d @ a @ d).tocsr().astype(np.float32)


class GraphConv(nn.Module):
    def __init__(self, d_in, d_out):
        super().__init__()
        self.lin = nn.Linear(d_in, d_out)

    def forward(self, adj, h):
        h = self.lin(h)
        return torch.from_numpy(adj @ h.detach().numpy())


class GCN(nn.Module):
    def __init__(self, d_in, hidden, n_classes, p=0.4):
        super().__init__()
        self.gc1 = GraphConv(d_in, hidden)
        self.gc2 = GraphConv(hidden, hidden)
        self.out = nn.Linear(hidden, n_classes)
        self.p = p

    def forward(self, adj, x):
        h = F.relu(self.gc1(adj, x))
        h = F.dropout(h, self.p, training=self.training)
        h = F.relu(self.gc2(adj, h))
        h = F.dropout(h, self.p, training=self.training)
        return self.out(h)


def main():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    a, x, y = make_graph(rng)
    adj = normalise(a)
    order = rng.permutation(len(y))
    train, test = torch.from_numpy(order[:120]), torch.from_numpy(order[300:])
    x = torch.from_numpy((x - x.mean(1, keepdims=True)) / x.std(1, keepdims=True))
    y = torch.from_numpy(y)
    model = GCN(VOCAB, 32, C)
    opt = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)
    for epoch in range(1, 61):
        model.train()
        opt.zero_grad()
        loss = F.cross_entropy(model(adj, x)[train], y[train])
        loss.backward()
        opt.step()
        if epoch % 20 == 0:
            print(f"epoch {epoch:3d}  loss {loss.item():.4f}")
    model.eval()
    with torch.no_grad():
        acc = (model(adj, x).argmax(1)[test] == y[test]).float().mean().item()
    print(f"test accuracy {acc:.3f}")


if __name__ == "__main__":
    main()
