# expect: nothing
"""Film ratings by matrix factorisation with biases; a frozen config, loaders and a RMSE against the global mean."""
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


@dataclass(frozen=True)
class Config:
    users: int = 120
    films: int = 80
    ratings: int = 5000
    factors: int = 6
    batch_size: int = 128
    epochs: int = 15
    learning_rate: float = 1e-2
    weight_decay: float = 1e-5
    seed: int = 30


class Factorisation(nn.Module):
    def __init__(self, c, mean):
        super().__init__()
        self.user, self.film = nn.Embedding(c.users, c.factors), nn.Embedding(c.films, c.factors)
        self.user_bias, self.film_bias = nn.Embedding(c.users, 1), nn.Embedding(c.films, 1)
        for table in (self.user, self.film):
            nn.init.normal_(table.weight, std=0.1)
        for table in (self.user_bias, self.film_bias):
            nn.init.zeros_(table.weight)
        self.register_buffer("mean", mean)

    def forward(self, u, f):
        dot = (self.user(u) * self.film(f)).sum(1)
        return self.mean + dot + self.user_bias(u).squeeze(1) + self.film_bias(f).squeeze(1)


def made_up_ratings(c):
    g = torch.Generator().manual_seed(c.seed)
    taste = torch.randn(c.users, 3, generator=g)
    kind = torch.randn(c.films, 3, generator=g)
    harsh, good = 0.4 * torch.randn(c.users, generator=g), 0.6 * torch.randn(c.films, generator=g)
    pairs = torch.randperm(c.users * c.films, generator=g)[:c.ratings]
    u, f = pairs // c.films, pairs % c.films
    stars = 3.4 + harsh[u] + good[f] + 0.35 * (taste[u] * kind[f]).sum(1)
    stars = (stars + 0.2 * torch.randn(len(u), generator=g)).clamp(1, 5)
    return TensorDataset(u, f, stars)


def rmse(model, loader):
    model.eval()
    with torch.no_grad():
        errors = torch.cat([(model(u, f) - r) ** 2 for u, f, r in loader])
    return errors.mean().sqrt().item()


def main(c):
    torch.manual_seed(c.seed)
    train, test = random_split(made_up_ratings(c), [0.8, 0.2])
    mean = torch.stack([r for _, _, r in train]).mean()
    model = Factorisation(c, mean)
    optimizer = torch.optim.Adam(model.parameters(), lr=c.learning_rate, weight_decay=c.weight_decay)
    train_loader = DataLoader(train, c.batch_size, shuffle=True)
    test_loader = DataLoader(test, 500)
    for epoch in range(1, c.epochs + 1):
        model.train()
        for u, f, r in train_loader:
            loss = nn.functional.mse_loss(model(u, f), r)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 5 == 0:
            print(f"epoch {epoch}: train RMSE {rmse(model, train_loader):.4f}")
    base = torch.stack([(r - mean) ** 2 for _, _, r in test]).mean().sqrt().item()
    print(f"test RMSE {rmse(model, test_loader):.4f}; always the mean {base:.4f}")


main(Config())
