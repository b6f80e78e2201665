# expect: symmetric_init @ 43
"""Recommender: biased matrix factorisation of a made-up table of film ratings, with a Dataset of triples."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset


def made_up_ratings(users=150, films=100, per_user=40, rank=3, seed=6):
    rng = np.random.default_rng(seed)
    taste, style = rng.normal(size=(users, rank)), rng.normal(size=(films, rank))
    likes = 3.2 + 0.3 * rng.normal(size=(users, 1)) + 0.4 * rng.normal(size=(1, films)) + 0.5 * taste @ style.T
    triples = []
    for user in range(users):
        for film in rng.choice(films, per_user, replace=False):
            triples.append((user, film, likes[user, film] + 0.2 * rng.normal()))
    rng.shuffle(triples)
    return np.array(triples)


class Ratings(Dataset):
    def __init__(self, triples):
        self.user = torch.tensor(triples[:, 0], dtype=torch.long)
        self.film = torch.tensor(triples[:, 1], dtype=torch.long)
        self.stars = torch.tensor(triples[:, 2], dtype=torch.float32)

    def __len__(self):
        return len(self.stars)

    def __getitem__(self, i):
        return self.user[i], self.film[i], self.stars[i]


class BiasedFactors(nn.Module):
    def __init__(self, users, films, rank, mean):
        super().__init__()
        self.user_factors = nn.Embedding(users, rank)
        self.film_factors = nn.Embedding(films, rank)
        self.user_bias = nn.Embedding(users, 1)
        self.film_bias = nn.Embedding(films, 1)
        self.register_buffer("mean", torch.tensor(mean))
        for table in (self.user_factors, self.film_factors):
            nn.init.constant_(table.weight, 0.1)
        for table in (self.user_bias, self.film_bias):
            nn.init.zeros_(table.weight)

    def forward(self, user, film):
        match = (self.user_factors(user) * self.film_factors(film)).sum(1)
        return self.mean + self.user_bias(user).squeeze(1) + self.film_bias(film).squeeze(1) + match


def rmse(model, data):
    model.eval()
    with torch.no_grad():
        return (model(data.user, data.film) - data.stars).pow(2).mean().sqrt().item()


def main():
    torch.manual_seed(6)
    triples = made_up_ratings()
    cut = int(0.85 * len(triples))
    train, test = Ratings(triples[:cut]), Ratings(triples[cut:])
    model = BiasedFactors(150, 100, rank=6, mean=train.stars.mean().item())
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, weight_decay=1e-5)
    loader = DataLoader(train, batch_size=128, shuffle=True)
    for epoch in range(20):
        model.train()
        for user, film, stars in loader:
            loss = (model(user, film) - stars).pow(2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1}: train RMSE {rmse(model, train):.3f}")
    print(f"test RMSE {rmse(model, test):.3f}, spread of the stars {test.stars.std():.3f}")


if __name__ == "__main__":
    main()
