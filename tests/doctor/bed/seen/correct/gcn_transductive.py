# expect: nothing
# looks suspicious: test nodes pass through the network in every training step: a graph network needs its
# neighbours' features; only training nodes' labels enter the loss (transductive).
import torch
import torch.nn.functional as F
from torch import nn

torch.manual_seed(42)
n, classes = 240, 3
y = torch.arange(n) % classes
features = torch.randn(n, 16) + 0.8 * F.one_hot(y, 16).float()
same = y[:, None] == y[None, :]
prob = torch.where(same, 0.06, 0.008)
adj = (torch.rand(n, n) < prob).triu(1)
adj = (adj | adj.t()).float() + torch.eye(n)
degree = adj.sum(1).rsqrt()
adj = degree[:, None] * adj * degree[None, :]
perm = torch.randperm(n)
train_mask, val_mask, test_mask = (torch.zeros(n, dtype=torch.bool) for _ in range(3))
train_mask[perm[:45]] = True
val_mask[perm[45:120]] = True
test_mask[perm[120:]] = True


class GCN(nn.Module):
    def __init__(self):
        super().__init__()
        self.lin1 = nn.Linear(16, 24, bias=False)
        self.lin2 = nn.Linear(24, classes, bias=False)

    def forward(self, x):
        x = F.dropout(x, 0.3, self.training)
        x = (adj @ self.lin1(x)).relu()
        x = F.dropout(x, 0.3, self.training)
        return adj @ self.lin2(x)


model = GCN()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=5e-4)
best_val = 0.0
for epoch in range(1, 61):
    model.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(features)[train_mask], y[train_mask])
    loss.backward()
    optimizer.step()
    model.eval()
    with torch.no_grad():
        val = (model(features).argmax(1) == y)[val_mask].float().mean().item()
    if val > best_val:
        best_val, state = val, {k: v.clone() for k, v in model.state_dict().items()}
    if epoch % 15 == 0:
        print(f"Epoch {epoch:02d} loss {loss.item():.4f} val {val:.4f}")
model.load_state_dict(state)
model.eval()
with torch.no_grad():
    test = (model(features).argmax(1) == y)[test_mask].float().mean().item()
print(f"best val {best_val:.4f} test {test:.4f}")
