# expect: nothing
"""Attention pooling over time: find the marked step of a sequence and report its value."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


class AttentionPool(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.score = nn.Sequential(nn.Linear(dim, 16), nn.Tanh(), nn.Linear(16, 1))

    def forward(self, states):  # (batch, time, dim)
        weights = self.score(states).squeeze(-1)
        weights = weights.softmax(dim=1)
        return torch.einsum("bt,btd->bd", weights, states)


class Model(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.lift = nn.Sequential(nn.Linear(2, hidden), nn.ReLU(), nn.Linear(hidden, hidden))
        self.pool = AttentionPool(hidden)
        self.out = nn.Linear(hidden, 1)

    def forward(self, x):
        return self.out(self.pool(self.lift(x))).squeeze(1)


def make_data(n, steps=10, seed=0):
    g = torch.Generator().manual_seed(seed)
    values = torch.rand(n, steps, generator=g) * 2 - 1
    where = torch.randint(0, steps, (n,), generator=g)
    marker = torch.zeros(n, steps).scatter_(1, where[:, None], 1.0)
    return TensorDataset(torch.stack([values, marker], -1), values.gather(1, where[:, None]).squeeze(1))


def run(epochs=12):
    torch.manual_seed(6)
    train = DataLoader(make_data(1500, seed=1), batch_size=50, shuffle=True)
    x_test, y_test = make_data(300, seed=2).tensors
    model = Model()
    opt = torch.optim.Adam(model.parameters(), lr=4e-3)
    for epoch in range(epochs):
        model.train()
        for x, y in train:
            opt.zero_grad()
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            opt.step()
        if epoch % 4 == 3:
            model.eval()
            with torch.inference_mode():
                mse = nn.functional.mse_loss(model(x_test), y_test)
            print(f"epoch {epoch}: test mse {mse.item():.5f} (variance {y_test.var().item():.4f})")


run()
