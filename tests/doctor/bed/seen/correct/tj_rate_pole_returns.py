# expect: nothing
"""REINFORCE without a baseline: the sum of a positive loss grows with the episodes."""
import torch
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(0)
policy = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 2))
opt = torch.optim.Adam(policy.parameters(), lr=1e-2)


def play():
    """Keep a drifting point near zero for as long as possible."""
    place, speed = 0.1 * torch.randn(2)
    log_probs, rewards = [], []
    while abs(place) < 1 and len(rewards) < 120:
        choice = Categorical(logits=policy(torch.stack([place, speed])))
        action = choice.sample()
        log_probs.append(choice.log_prob(action))
        speed = speed + 0.15 * (2 * action - 1) + 0.1 * place
        place = place + 0.3 * speed
        rewards.append(1.0)
    return log_probs, rewards


lengths = []
for episode in range(120):
    log_probs, rewards = play()
    returns, total = [], 0.0
    for r in reversed(rewards):
        total = r + 0.95 * total
        returns.insert(0, total)
    loss = -(torch.stack(log_probs) * torch.tensor(returns)).sum()
    opt.zero_grad()
    loss.backward()
    opt.step()
    lengths.append(len(rewards))
    if episode % 30 == 29:
        print(episode + 1, sum(lengths[-30:]) / 30)
