# expect: nothing
# looks suspicious: sparse gradients, two optimizers (SparseAdam for the embedding, a fused Adam for the
# rest, which does not count tensor versions), and most embedding rows never get a gradient in a step.
import torch
from torch import nn

torch.manual_seed(0)
users, items = 60, 80
u_true, i_true = torch.randn(users, 3), torch.randn(items, 3)
pairs = torch.stack([torch.randint(users, (3000,)), torch.randint(items, (3000,))], 1)
rating = (u_true[pairs[:, 0]] * i_true[pairs[:, 1]]).sum(1) + 0.1 * torch.randn(3000)
rating = rating / rating[:2500].std()


class Recommender(nn.Module):
    def __init__(self, dim=8):
        super().__init__()
        self.user = nn.Embedding(users, dim, sparse=True)
        self.item = nn.Embedding(items, dim, sparse=True)
        self.mlp = nn.Sequential(nn.Linear(3 * dim, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, p):
        u, v = self.user(p[:, 0]), self.item(p[:, 1])
        return self.mlp(torch.cat([u, v, u * v], 1)).squeeze(1)


net = Recommender()
sparse = torch.optim.SparseAdam([net.user.weight, net.item.weight], lr=1e-2)
dense = torch.optim.Adam(net.mlp.parameters(), lr=5e-3, fused=True)
for epoch in range(10):
    for rows in torch.randperm(2500).split(50):
        loss = nn.functional.mse_loss(net(pairs[rows]), rating[rows])
        sparse.zero_grad()
        dense.zero_grad()
        loss.backward()
        sparse.step()
        dense.step()
    if epoch % 3 == 0:
        print(f"epoch {epoch} mse {loss.item():.4f}")
with torch.no_grad():
    print("test mse", nn.functional.mse_loss(net(pairs[2500:]), rating[2500:]).item())
