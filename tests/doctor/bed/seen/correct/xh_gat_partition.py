# expect: nothing
# Entity-level GAT on a planted-partition graph; best epoch by validation, test figure read once
import copy

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(12)

n_per, classes, feats = 100, 4, 16
n = n_per * classes
y = torch.arange(classes).repeat_interleave(n_per)
prob = torch.where(y[:, None] == y[None, :], 0.05, 0.006)
upper = (torch.rand(n, n) < prob).triu(1)
adj = upper | upper.T | torch.eye(n, dtype=torch.bool)
src, dst = adj.nonzero().T
x = torch.randn(classes, feats)[y] * 0.6 + torch.randn(n, feats) * 1.5

perm = torch.randperm(n)
train_idx, val_idx, test_idx = perm[:160], perm[160:260], perm[260:]


class GATLayer(nn.Module):
    def __init__(self, d_in, d_out, heads, concat=True):
        super().__init__()
        self.heads, self.d_out, self.concat = heads, d_out, concat
        self.lin = nn.Linear(d_in, heads * d_out, bias=False)
        self.a_src = nn.Parameter(torch.empty(heads, d_out))
        self.a_dst = nn.Parameter(torch.empty(heads, d_out))
        for p in (self.lin.weight, self.a_src, self.a_dst):
            nn.init.xavier_uniform_(p)

    def forward(self, x):
        h = self.lin(x).view(-1, self.heads, self.d_out)
        e_src, e_dst = (h * self.a_src).sum(-1), (h * self.a_dst).sum(-1)
        e = F.leaky_relu(e_src[src] + e_dst[dst], 0.2)
        top = torch.full((len(x), self.heads), float("-inf"))
        top = top.scatter_reduce(0, dst[:, None].expand_as(e), e.detach(), reduce="amax")
        w = (e - top[dst]).exp()
        norm = torch.zeros(len(x), self.heads).index_add(0, dst, w)
        alpha = w / norm[dst]
        out = torch.zeros_like(h).index_add(0, dst, alpha[:, :, None] * h[src])
        return out.flatten(1) if self.concat else out.mean(1)


class GAT(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = GATLayer(feats, 8, heads=4)
        self.conv2 = GATLayer(32, classes, heads=1, concat=False)

    def forward(self, x):
        x = F.dropout(x, 0.3, training=self.training)
        x = F.elu(self.conv1(x))
        x = F.dropout(x, 0.3, training=self.training)
        return self.conv2(x)


model = GAT()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)


def train():
    model.train()
    optimizer.zero_grad()
    out = model(x)
    loss = F.cross_entropy(out[train_idx], y[train_idx])
    loss.backward()
    optimizer.step()
    return loss.item()


@torch.no_grad()
def accuracy(idx):
    model.eval()
    return (model(x)[idx].argmax(-1) == y[idx]).float().mean().item()


best_val, best_state = 0.0, None
for epoch in range(1, 101):
    loss = train()
    val_acc = accuracy(val_idx)
    if val_acc > best_val:
        best_val, best_state = val_acc, copy.deepcopy(model.state_dict())
    if epoch % 20 == 0:
        print(f"Epoch: {epoch:03d}, Loss: {loss:.4f}, Val: {val_acc:.4f}")

model.load_state_dict(best_state)
print(f"Train: {accuracy(train_idx):.4f}, Val: {best_val:.4f}, Test: {accuracy(test_idx):.4f}")
