# expect: nothing
"""Film club recommender: users and films are factorised with an optimizer each (AdamW for the users, Adam for the films)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(3)
rng = np.random.default_rng(3)

N_USERS, N_FILMS, RANK = 150, 80, 4


def make_ratings():
    """Latent tastes, a mean per film, and a little noise; about half of all pairs are rated."""
    taste = rng.normal(0, 0.6, (N_USERS, RANK))
    style = rng.normal(0, 0.6, (N_FILMS, RANK))
    table = taste @ style.T + rng.normal(0, 0.4, N_FILMS) + rng.normal(0, 0.15, (N_USERS, N_FILMS))
    users, films = np.nonzero(rng.random((N_USERS, N_FILMS)) < 0.5)
    return users, films, table[users, films].astype(np.float32)


class Users(nn.Module):
    def __init__(self):
        super().__init__()
        self.taste = nn.Embedding(N_USERS, RANK)
        nn.init.normal_(self.taste.weight, std=0.3)

    def forward(self, u):
        return self.taste(u)


class Films(nn.Module):
    def __init__(self):
        super().__init__()
        self.style = nn.Embedding(N_FILMS, RANK)
        self.level = nn.Embedding(N_FILMS, 1)
        nn.init.normal_(self.style.weight, std=0.3)
        nn.init.zeros_(self.level.weight)

    def forward(self, f):
        return self.style(f), self.level(f).squeeze(1)


users, films, ratings = make_ratings()
order = rng.permutation(len(ratings))
cut = int(0.8 * len(ratings))
u, f, r = (torch.as_tensor(a[order]) for a in (users, films, ratings))
train = DataLoader(TensorDataset(u[:cut], f[:cut], r[:cut]), batch_size=64, shuffle=True)

user_net, film_net = Users(), Films()
opt_users = torch.optim.AdamW(user_net.parameters(), lr=0.02, weight_decay=1e-3)
opt_films = torch.optim.Adam(film_net.parameters(), lr=0.02)


def predict(users, films):
    style, level = film_net(films)
    return (user_net(users) * style).sum(1) + level


def rmse(users, films, ratings):
    user_net.eval(), film_net.eval()
    with torch.no_grad():
        return (predict(users, films) - ratings).pow(2).mean().sqrt().item()


for epoch in range(15):
    user_net.train(), film_net.train()
    for bu, bf, br in train:
        opt_users.zero_grad()
        opt_films.zero_grad()
        loss = (predict(bu, bf) - br).pow(2).mean()
        loss.backward()
        opt_users.step()
        opt_films.step()
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1:2d}  train rmse {rmse(u[:cut], f[:cut], r[:cut]):.3f}")

print(f"held-out rmse {rmse(u[cut:], f[cut:], r[cut:]):.3f}  (spread of the ratings {r[cut:].std().item():.3f})")
