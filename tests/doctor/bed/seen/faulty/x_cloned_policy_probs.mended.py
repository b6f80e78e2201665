# expect: nothing
"""Behaviour cloning: a student policy copies the moves of a scripted expert on a small grid world."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Categorical

UP, DOWN, LEFT, RIGHT = range(4)


def expert(state):
    dx, dy = state[:, 2] - state[:, 0], state[:, 3] - state[:, 1]
    horizontal = torch.where(dx > 0, RIGHT, LEFT)
    vertical = torch.where(dy > 0, UP, DOWN)
    return torch.where(dx.abs() > dy.abs(), horizontal, vertical)


class Policy(nn.Module):
    def __init__(self, n_obs, n_act):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(n_obs, 64), nn.Tanh(), nn.Linear(64, n_act))

    def forward(self, obs):
        return Categorical(logits=self.body(obs))

    @torch.no_grad()
    def act(self, obs):
        return self(obs).sample()


torch.manual_seed(8)
policy = Policy(4, 4)
optimizer = torch.optim.Adam(policy.parameters(), lr=3e-3)

for it in range(200):
    obs = torch.rand(64, 4) * 2 - 1
    actions = expert(obs)
    pi = policy(obs)
    loss = F.cross_entropy(pi.logits, actions)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if it % 50 == 0:
        print(f"iter {it} loss {loss.item():.4f}")

obs = torch.rand(500, 4) * 2 - 1
print("agreement with the expert:", (policy.act(obs) == expert(obs)).float().mean().item())
