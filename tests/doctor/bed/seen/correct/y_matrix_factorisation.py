# expect: nothing
# looks suspicious: inputs are raw ids up to 399, users and films of the test are all in the training: a
# recommender, the (user, film) pairs are what is split.
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
n_users, n_films, rank = 400, 150, 4
u, f = torch.randn(n_users, rank), torch.randn(n_films, rank)
pairs = torch.randperm(n_users * n_films)[:9000]
users, films = pairs // n_films, pairs % n_films
ratings = (3 + 0.7 * (u[users] * f[films]).sum(1) + 0.2 * torch.randn(9000)).clamp(1, 5)
train = TensorDataset(users[:8000], films[:8000], ratings[:8000])
test = TensorDataset(users[8000:], films[8000:], ratings[8000:])


class MF(nn.Module):
    def __init__(self, dim=8):
        super().__init__()
        self.user = nn.Embedding(n_users, dim)
        self.film = nn.Embedding(n_films, dim)
        self.user_bias = nn.Embedding(n_users, 1)
        self.film_bias = nn.Embedding(n_films, 1)
        for table in (self.user_bias, self.film_bias):
            nn.init.zeros_(table.weight)
        nn.init.normal_(self.user.weight, std=0.3)
        nn.init.normal_(self.film.weight, std=0.3)

    def forward(self, user, film):
        dot = (self.user(user) * self.film(film)).sum(1)
        return dot + self.user_bias(user).squeeze(1) + self.film_bias(film).squeeze(1) + 3.0


model = MF()
optimizer = torch.optim.Adam(model.parameters(), lr=2e-2, weight_decay=1e-5)
loss_fn = nn.MSELoss()
for epoch in range(6):
    model.train()
    for user, film, rating in DataLoader(train, batch_size=250, shuffle=True):
        optimizer.zero_grad()
        loss = loss_fn(model(user, film), rating)
        loss.backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        user, film, rating = test.tensors
        rmse = loss_fn(model(user, film), rating).sqrt().item()
    print(f"epoch {epoch} loss {loss.item():.3f} test rmse {rmse:.3f}")
