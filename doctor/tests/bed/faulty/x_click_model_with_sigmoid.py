# expect: sigmoid_before_bce_with_logits @ 26
# mend: 26 →         return dot.squeeze(1)
"""Matrix factorisation for clicks: users and items as embeddings, implicit feedback."""

import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(14)
n_users, n_items, k = 60, 80, 6
u_true, i_true = torch.randn(n_users, k), torch.randn(n_items, k)
clicked = (u_true @ i_true.t() > 1.0).float()
pairs = torch.cartesian_prod(torch.arange(n_users), torch.arange(n_items))[torch.randperm(n_users * n_items)]
train_pairs, test_pairs = pairs[:4000], pairs[4000:]


class MF(nn.Module):
    def __init__(self):
        super().__init__()
        self.users = nn.Embedding(n_users, 16)
        self.items = nn.Embedding(n_items, 16)
        self.bias = nn.Embedding(n_items, 1)

    def forward(self, users, items):
        dot = (self.users(users) * self.items(items)).sum(1, keepdim=True) / 4 + self.bias(items)
        return torch.sigmoid(dot).squeeze(1)


def run_epoch(model, data, optimizer=None):
    total = 0.0
    for batch in data[torch.randperm(len(data))].split(256):
        users, items = batch[:, 0], batch[:, 1]
        loss = F.binary_cross_entropy_with_logits(model(users, items), clicked[users, items])
        if optimizer is not None:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        total += loss.item() * len(batch)
    return total / len(data)


model = MF()
optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
for epoch in range(6):
    train_loss = run_epoch(model, train_pairs, optimizer)
    with torch.no_grad():
        test_loss = run_epoch(model, test_pairs)
    print(f"epoch {epoch} train {train_loss:.4f} test {test_loss:.4f}")
