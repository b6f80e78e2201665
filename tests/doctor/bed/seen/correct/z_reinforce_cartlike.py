# expect: nothing
"""REINFORCE on a small corridor with a baseline, softmax policy, one episode per update."""

import torch
from torch import nn

torch.manual_seed(0)
GOAL, LIMIT = 6, 30
policy = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 2), nn.Softmax(dim=-1))
value = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 1))
opt = torch.optim.Adam(list(policy.parameters()) + list(value.parameters()), lr=5e-3)


def episode():
    pos, states, actions, rewards = 0, [], [], []
    for t in range(LIMIT):
        s = torch.tensor([pos / GOAL, 1.0 - t / LIMIT])
        with torch.no_grad():
            a = torch.distributions.Categorical(policy(s)).sample().item()
        pos = max(-3, pos + (1 if a == 1 else -1))
        states.append(s)
        actions.append(a)
        rewards.append(1.0 if pos == GOAL else -0.05)
        if pos == GOAL:
            break
    return torch.stack(states), torch.tensor(actions), rewards


for update in range(60):
    states, actions, rewards = episode()
    returns, g = [], 0.0
    for r in reversed(rewards):
        g = r + 0.98 * g
        returns.insert(0, g)
    returns = torch.tensor(returns)
    dist = torch.distributions.Categorical(probs=policy(states))
    v = value(states).squeeze(-1)
    advantage = (returns - v).detach()
    loss = (
        -(dist.log_prob(actions) * advantage).mean()
        + 0.5 * (returns - v).pow(2).mean()
        - 0.01 * dist.entropy().mean()
    )
    opt.zero_grad()
    loss.backward()
    opt.step()
    if update % 20 == 19:
        print(update + 1, "length", len(rewards), "return", round(returns[0].item(), 3))
