# expect: nothing
"""Graph convolution in the manner of pygcn: sparse adjacency, whole graph in each forward pass, masks for the losses (made-up graph)."""
import argparse

import numpy as np
import scipy.sparse as sp
import torch
import torch.nn as nn
import torch.nn.functional as F

parser = argparse.ArgumentParser()
parser.add_argument("--seed", type=int, default=42)
parser.add_argument("--epochs", type=int, default=80)
parser.add_argument("--lr", type=float, default=0.01)
parser.add_argument("--weight_decay", type=float, default=5e-4)
parser.add_argument("--hidden", type=int, default=16)
parser.add_argument("--dropout", type=float, default=0.5)
args = parser.parse_args()


def load_data(rng, n=420, n_class=3, n_words=50):
    labels = rng.integers(n_class, size=n)
    same = labels[:, None] == labels[None, :]
    adj = np.triu(rng.random((n, n)) < np.where(same, 0.04, 0.005), 1).astype(np.float32)
    topics = rng.random((n_class, n_words)) < 0.3
    words = (rng.random((n, n_words)) < np.where(topics[labels], 0.35, 0.12)).astype(np.float32)
    words[words.sum(1) == 0, 0] = 1.0
    features = words / words.sum(1, keepdims=True)
    adj = sp.coo_matrix(adj + adj.T + np.eye(n, dtype=np.float32))
    inv = 1.0 / np.asarray(adj.sum(1)).ravel()
    adj = sp.coo_matrix(sp.diags(inv) @ adj)
    index = torch.from_numpy(np.vstack((adj.row, adj.col)).astype(np.int64))
    adj = torch.sparse_coo_tensor(index, torch.from_numpy(adj.data.astype(np.float32)), adj.shape).coalesce()
    order = torch.from_numpy(rng.permutation(n))
    return adj, torch.from_numpy(features), torch.from_numpy(labels), order[:90], order[90:180], order[180:]


class GraphConvolution(nn.Module):
    def __init__(self, in_features, out_features):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(in_features, out_features))
        self.bias = nn.Parameter(torch.empty(out_features))
        stdv = 1.0 / out_features ** 0.5
        self.weight.data.uniform_(-stdv, stdv)
        self.bias.data.uniform_(-stdv, stdv)

    def forward(self, x, adj):
        return torch.spmm(adj, torch.mm(x, self.weight)) + self.bias


class GCN(nn.Module):
    def __init__(self, nfeat, nhid, nclass, dropout):
        super().__init__()
        self.gc1 = GraphConvolution(nfeat, nhid)
        self.gc2 = GraphConvolution(nhid, nclass)
        self.dropout = dropout

    def forward(self, x, adj):
        x = F.relu(self.gc1(x, adj))
        x = F.dropout(x, self.dropout, training=self.training)
        return F.log_softmax(self.gc2(x, adj), dim=1)


def accuracy(output, labels):
    return (output.max(1)[1] == labels).double().mean()


np_rng = np.random.default_rng(args.seed)
torch.manual_seed(args.seed)
adj, features, labels, idx_train, idx_val, idx_test = load_data(np_rng)
features = features * features.shape[1] ** 0.5
model = GCN(features.shape[1], args.hidden, int(labels.max()) + 1, args.dropout)
optimizer = torch.optim.Adam(model.parameters(), lr=args.lr, weight_decay=args.weight_decay)

for epoch in range(args.epochs):
    model.train()
    optimizer.zero_grad()
    output = model(features, adj)
    loss_train = F.nll_loss(output[idx_train], labels[idx_train])
    loss_train.backward()
    optimizer.step()

    if epoch % 20 == 19:
        model.eval()
        with torch.no_grad():
            output = model(features, adj)
        print(f"Epoch: {epoch + 1:04d} loss_train: {loss_train.item():.4f} "
              f"loss_val: {F.nll_loss(output[idx_val], labels[idx_val]).item():.4f} "
              f"acc_val: {accuracy(output[idx_val], labels[idx_val]).item():.4f}")

model.eval()
with torch.no_grad():
    output = model(features, adj)
print(f"Test set results: loss= {F.nll_loss(output[idx_test], labels[idx_test]).item():.4f} "
      f"accuracy= {accuracy(output[idx_test], labels[idx_test]).item():.4f}")
