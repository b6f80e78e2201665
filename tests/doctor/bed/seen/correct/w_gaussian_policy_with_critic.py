# expect: nothing
# looks suspicious: actions are drawn by sample() and go through a critic in the same loss; the policy learns
# by their log-probability.
import torch
from torch import nn
from torch.distributions import Normal

torch.manual_seed(8)
trunk = nn.Sequential(nn.Linear(4, 32), nn.Tanh())
mean, spread = nn.Linear(32, 2), nn.Linear(32, 2)
critic = nn.Sequential(nn.Linear(6, 32), nn.Tanh(), nn.Linear(32, 1))
parts = nn.ModuleList([trunk, mean, spread, critic])
optimizer = torch.optim.Adam(parts.parameters(), lr=3e-3)
for step in range(200):
    state = torch.randn(96, 4)
    hidden = trunk(state)
    policy = Normal(mean(hidden), spread(hidden).clamp(-3, 1).exp())
    action = policy.sample()
    value = critic(torch.cat([state, action], 1)).squeeze(1)
    reward = -((action - state[:, :2]) ** 2).sum(1)
    advantage = (reward - value).detach()
    advantage = (advantage - advantage.mean()) / advantage.std()
    surprise = -(policy.log_prob(action).sum(1) * advantage).mean()
    loss = surprise + (value - reward).pow(2).mean() - 0.01 * policy.entropy().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 0:
        print(step, round(reward.mean().item(), 3))
