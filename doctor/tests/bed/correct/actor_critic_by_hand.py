# expect: nothing
"""Returns grow while the agent learns, and the critic's loss by hand grows with them."""

import torch
from torch import nn

torch.manual_seed(0)
policy, critic = nn.Linear(3, 2), nn.Linear(3, 1)
opt = torch.optim.Adam([*policy.parameters(), *critic.parameters()], lr=0.02)
for episode in range(60):
    s = torch.randn(20, 3)
    dist = torch.distributions.Categorical(logits=policy(s))
    a = dist.sample()
    reward = torch.where(a == (s[:, 0] > 0).long(), 3.0, 0.0)
    returns = reward.flip(0).cumsum(0).flip(0)
    value = critic(s).squeeze(1)
    advantage = (returns - value).detach()
    loss = -(dist.log_prob(a) * advantage).mean() + ((returns - value) ** 2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if episode % 20 == 0:
        print(episode, reward.mean().item(), loss.item())
