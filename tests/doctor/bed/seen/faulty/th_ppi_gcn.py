# expect: detached_graph @ 34
"""Two-layer graph convolution on a simulated protein interaction network (three complexes)."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def simulate_network(n=360, k=3, d=40, seed=3):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, k, n)
    same = y[:, None] == y[None, :]
    A = np.triu(rng.random((n, n)) < np.where(same, 0.045, 0.008), 1)
    A = (A | A.T).astype(np.float32)
    centres = rng.normal(0, 0.35, (k, d))
    X = (centres[y] + rng.normal(0, 1, (n, d))).astype(np.float32)
    return torch.from_numpy(A), torch.from_numpy(X), torch.from_numpy(y)


def normalise(A):
    A = A + torch.eye(len(A))
    d = A.sum(1).rsqrt()
    return d[:, None] * A * d[None, :]


class GraphConv(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_in, n_out))
        self.bias = nn.Parameter(torch.zeros(n_out))
        nn.init.xavier_uniform_(self.weight)

    def forward(self, h, adj):
        return adj @ h.data @ self.weight + self.bias


class GCN(nn.Module):
    def __init__(self, n_in, n_hidden, n_out, p=0.4):
        super().__init__()
        self.gc1 = GraphConv(n_in, n_hidden)
        self.gc2 = GraphConv(n_hidden, n_out)
        self.p = p

    def forward(self, x, adj):
        h = F.relu(self.gc1(x, adj))
        h = F.dropout(h, self.p, training=self.training)
        return F.log_softmax(self.gc2(h, adj), dim=1)


def main():
    torch.manual_seed(0)
    A, X, y = simulate_network()
    adj = normalise(A)
    order = torch.randperm(len(y))
    train, test = order[:90], order[90:]
    model = GCN(X.shape[1], 16, 3)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)

    for epoch in range(1, 121):
        model.train()
        optimizer.zero_grad()
        out = model(X, adj)
        loss = F.nll_loss(out[train], y[train])
        loss.backward()
        optimizer.step()
        if epoch % 30 == 0:
            acc = (out[train].argmax(1) == y[train]).float().mean().item()
            print(f"Epoch: {epoch:04d} loss_train: {loss.item():.4f} acc_train(dropout on): {acc:.4f}")

    model.eval()
    with torch.no_grad():
        out = model(X, adj)
    print(f"Test set results: loss= {F.nll_loss(out[test], y[test]).item():.4f} "
          f"accuracy= {(out[test].argmax(1) == y[test]).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
