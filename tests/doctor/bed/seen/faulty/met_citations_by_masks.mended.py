# expect: nothing
"""A graph net for papers that cite each other; all figures come from one pass over the whole graph."""

import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(0)
n, kinds = 300, 4
kind = torch.randint(0, kinds, (n,))
words = 1.5 * torch.randn(n, 24)
words[torch.arange(n), kind] += 1.5
cites = torch.rand(n, n) < torch.where(kind[:, None] == kind[None], 0.03, 0.006)
adjacency = (cites | cites.T | torch.eye(n, dtype=torch.bool)).float()
degree = adjacency.sum(1).rsqrt()
adjacency = degree[:, None] * adjacency * degree[None]
order = torch.randperm(n)
train_mask, val_mask, test_mask = (torch.zeros(n, dtype=torch.bool) for _ in range(3))
train_mask[order[:60]] = True
val_mask[order[60:160]] = True
test_mask[order[160:]] = True


class GCN(nn.Module):
    def __init__(self, hidden=16):
        super().__init__()
        self.first, self.second = nn.Linear(24, hidden), nn.Linear(hidden, kinds)

    def forward(self, x):
        x = F.relu(adjacency @ self.first(x))
        return adjacency @ self.second(F.dropout(x, 0.5, self.training))


model = GCN()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)


def train():
    model.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(words)[train_mask], kind[train_mask])
    loss.backward()
    optimizer.step()
    return loss.item()


@torch.no_grad()
def test():
    model.eval()
    pred = model(words).argmax(dim=1)
    accs = []
    for mask in (train_mask, val_mask, test_mask):
        accs.append((pred[mask] == kind[mask]).float().mean().item())
    return accs


best_val_acc = best_test_acc = 0
for epoch in range(60):
    loss = train()
    # of each mask
    train_acc, val_acc, test_acc = test()
    if val_acc > best_val_acc:
        best_val_acc, best_test_acc = val_acc, test_acc
    print(epoch, round(loss, 3), train_acc, val_acc)
print("test", best_test_acc)
