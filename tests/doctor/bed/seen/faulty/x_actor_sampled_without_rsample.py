# expect: detached_graph @ 21
"""Off-policy actor and critic (one-step problem): the actor climbs the critic through its own actions."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Normal

torch.manual_seed(17)


class Actor(nn.Module):
    def __init__(self, obs_dim, act_dim):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(obs_dim, 32), nn.ReLU())
        self.mu, self.log_std = nn.Linear(32, act_dim), nn.Linear(32, act_dim)

    def forward(self, obs):
        h = self.net(obs)
        pi = Normal(self.mu(h), self.log_std(h).clamp(-5, 1).exp())
        return torch.tanh(pi.sample())


class Critic(nn.Module):
    def __init__(self, obs_dim, act_dim):
        super().__init__()
        self.q = nn.Sequential(nn.Linear(obs_dim + act_dim, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, obs, act):
        return self.q(torch.cat([obs, act], -1)).squeeze(-1)


def reward(obs, act):
    return -((act - torch.tanh(obs[:, :1])) ** 2).sum(-1)


actor, critic = Actor(3, 1), Critic(3, 1)
pi_optimizer = torch.optim.Adam(actor.parameters(), lr=3e-3)
q_optimizer = torch.optim.Adam(critic.parameters(), lr=3e-3)

for t in range(150):
    obs = torch.randn(64, 3)
    with torch.no_grad():
        act = actor(obs)
    q_optimizer.zero_grad()
    loss_q = F.mse_loss(critic(obs, act), reward(obs, act))
    loss_q.backward()
    q_optimizer.step()

    pi_optimizer.zero_grad()
    loss_pi = -critic(obs, actor(obs)).mean()
    loss_pi.backward()
    pi_optimizer.step()
    if t % 50 == 0:
        print(f"t {t} Q {loss_q.item():.4f} pi {loss_pi.item():.4f} reward {reward(obs, act).mean():.3f}")
