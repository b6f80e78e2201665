# expect: symmetric_init @ 22
# allowed: symmetric_init @ 23
"""Semi-supervised GCN (after Kipf and Welling) on a made-up citation graph with four communities."""
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.nn.parameter import Parameter


class GraphConvolution(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = Parameter(torch.empty(in_features, out_features))
        self.bias = Parameter(torch.empty(out_features))
        self.reset_parameters()

    def reset_parameters(self):
        stdv = 1.0 / math.sqrt(self.weight.size(1))
        self.weight.data.uniform_(stdv, stdv)
        self.bias.data.uniform_(stdv, stdv)

    def forward(self, x, adj):
        return adj @ (x @ self.weight) + self.bias


class GCN(nn.Module):
    def __init__(self, nfeat, nhid, nclass):
        super().__init__()
        self.gc1 = GraphConvolution(nfeat, nhid)
        self.gc2 = GraphConvolution(nhid, nclass)

    def forward(self, x, adj):
        return F.log_softmax(self.gc2(F.relu(self.gc1(x, adj)), adj), dim=1)


def citation_graph(n, n_class, rng):
    label = rng.integers(0, n_class, n)
    same = label[:, None] == label[None]
    edges = np.triu(rng.random((n, n)) < np.where(same, 0.06, 0.008), 1)
    a = edges + edges.T + np.eye(n)
    scale = 1 / np.sqrt(a.sum(1))
    adj = scale[:, None] * a * scale[None]
    words = rng.normal(0, 1, (n_class, 20))[label] * 0.6 + rng.normal(0, 1, (n, 20))
    return (torch.tensor(words, dtype=torch.float32), torch.tensor(adj, dtype=torch.float32), torch.tensor(label))


def accuracy(output, labels):
    return (output.max(1)[1] == labels).double().mean().item()


torch.manual_seed(42)
rng = np.random.default_rng(42)
features, adj, labels = citation_graph(320, 4, rng)
order = torch.randperm(len(labels))
idx_train, idx_val, idx_test = order[:80], order[80:150], order[150:]

model = GCN(features.shape[1], 16, 4)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)

for epoch in range(150):
    model.train()
    optimizer.zero_grad()
    output = model(features, adj)
    loss_train = F.nll_loss(output[idx_train], labels[idx_train])
    loss_train.backward()
    optimizer.step()
    if epoch % 50 == 49:
        model.eval()
        with torch.no_grad():
            output = model(features, adj)
        print(f"Epoch: {epoch + 1:04d} loss_train: {loss_train.item():.4f} "
              f"acc_val: {accuracy(output[idx_val], labels[idx_val]):.4f}")

model.eval()
with torch.no_grad():
    output = model(features, adj)
print(f"Test set results: loss= {F.nll_loss(output[idx_test], labels[idx_test]).item():.4f} "
      f"accuracy= {accuracy(output[idx_test], labels[idx_test]):.4f}")
