# expect: nothing
"""Two-layer graph convolution on a stochastic block model, semi-supervised node classification."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


def block_model(rng, sizes=(90, 110, 100), p_in=0.07, p_out=0.012, n_feat=24):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    rng.shuffle(labels)
    same = labels[:, None] == labels[None, :]
    upper = np.triu(rng.random(same.shape) < np.where(same, p_in, p_out), 1)
    adj = (upper | upper.T).astype(np.float32)
    centres = rng.normal(0, 0.5, size=(len(sizes), n_feat))
    feats = centres[labels] + rng.normal(0, 1.0, size=(len(labels), n_feat))
    return adj, feats.astype(np.float32), labels


def normalise(adj):
    a = torch.from_numpy(adj) + torch.eye(len(adj))
    d = a.sum(1).rsqrt()
    return d[:, None] * a * d[None, :]


class GraphConv(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.lin = nn.Linear(n_in, n_out, bias=False)
        self.bias = nn.Parameter(torch.zeros(n_out))

    def forward(self, x, a_hat):
        return a_hat @ self.lin(x) + self.bias


class GCN(nn.Module):
    def __init__(self, n_feat, hidden, n_class, p=0.3):
        super().__init__()
        self.gc1 = GraphConv(n_feat, hidden)
        self.gc2 = GraphConv(hidden, n_class)
        self.p = p

    def forward(self, x, a_hat):
        x = F.relu(self.gc1(x, a_hat))
        x = F.dropout(x, self.p, training=self.training)
        x = self.gc2(x, a_hat)
        return F.log_softmax(x, dim=1)


rng = np.random.default_rng(12)
torch.manual_seed(12)
adj, feats, labels = block_model(rng)
a_hat, x, y = normalise(adj), torch.from_numpy(feats), torch.from_numpy(labels)
order = torch.from_numpy(rng.permutation(len(labels)))
idx_train, idx_val, idx_test = order[:60], order[60:120], order[120:]

model = GCN(x.shape[1], 16, 3)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)


def accuracy(out, idx):
    return (out[idx].argmax(1) == y[idx]).float().mean().item()


for epoch in range(150):
    model.train()
    optimizer.zero_grad()
    output = model(x, a_hat)
    loss_train = F.nll_loss(output[idx_train], y[idx_train])
    loss_train.backward()
    optimizer.step()
    if (epoch + 1) % 50 == 0:
        model.eval()
        with torch.no_grad():
            output = model(x, a_hat)
        print(f"epoch {epoch + 1:3d} train loss {loss_train.item():.4f} val acc {accuracy(output, idx_val):.3f}")

model.eval()
with torch.no_grad():
    print(f"test acc {accuracy(model(x, a_hat), idx_test):.3f}")
