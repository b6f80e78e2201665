# expect: nothing
"""Neural collaborative filtering on a table of course ratings: two embedding tables and a small tower, each with its own optimizer."""
import numpy as np
import pandas as pd
import torch
from torch import nn

N_USERS, N_COURSES, DIM = 120, 60, 8


def load(seed=3):
    rng = np.random.default_rng(seed)
    taste, topic = rng.normal(size=(N_USERS, 2)), rng.normal(size=(N_COURSES, 2))
    pairs = rng.permutation(N_USERS * N_COURSES)[:5500]
    u, c = pairs // N_COURSES, pairs % N_COURSES
    stars = 3.2 + 0.6 * (taste[u] * topic[c]).sum(1) + rng.normal(0, 0.3, len(u))
    return pd.DataFrame({"user": u, "course": c, "stars": stars.clip(1, 5)})


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.users = nn.Embedding(N_USERS, DIM)
        self.courses = nn.Embedding(N_COURSES, DIM)
        for table in (self.users, self.courses):
            nn.init.normal_(table.weight, std=0.3)
        self.tower = nn.Sequential(nn.Linear(3 * DIM, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, u, c):
        a, b = self.users(u), self.courses(c)
        return self.tower(torch.cat([a, b, a * b], dim=1)).squeeze(1)


class OptimizerGroup:
    """Lets several optimizers be driven as one."""

    def __init__(self, *members):
        self.members = members

    def zero_grad(self):
        for member in self.members:
            member.zero_grad()

    def step(self):
        for member in self.members:
            member.step()


def train(net, frame, mean, epochs=12, batch=128):
    optim = OptimizerGroup(
        torch.optim.Adam([*net.users.parameters(), *net.courses.parameters()], lr=1e-2),
        torch.optim.Adam(net.tower.parameters(), lr=3e-3),
    )
    u = torch.tensor(frame.user.to_numpy())
    c = torch.tensor(frame.course.to_numpy())
    y = torch.tensor(frame.stars.to_numpy() - mean, dtype=torch.float32)
    for epoch in range(epochs):
        total = 0.0
        for rows in torch.randperm(len(y)).split(batch):
            optim.zero_grad()
            loss = nn.functional.mse_loss(net(u[rows], c[rows]), y[rows])
            loss.backward()
            optim.step()
            total += loss.item() * len(rows)
        if epoch % 4 == 3:
            print(f"epoch {epoch + 1:2d}  train mse {total / len(y):.4f}")


@torch.no_grad()
def evaluate(net, frame, mean):
    net.eval()
    guess = net(torch.tensor(frame.user.to_numpy()), torch.tensor(frame.course.to_numpy())) + mean
    return float(np.sqrt(((guess.numpy() - frame.stars.to_numpy()) ** 2).mean()))


if __name__ == "__main__":
    torch.manual_seed(0)
    table = load()
    held = table.sample(frac=0.2, random_state=1)
    rest = table.drop(index=held.index)
    mean = rest.stars.mean()
    net = Net()
    train(net, rest, mean)
    print(f"test rmse {evaluate(net, held, mean):.3f}  (always the mean: {held.stars.std():.3f})")
