# expect: nothing
"""Advantage actor-critic on a walk to the end of a corridor, with returns computed backwards."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Categorical

torch.manual_seed(543)
LENGTH, gamma = 6, 0.95


class ActorCritic(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine = nn.Linear(LENGTH, 32)
        self.action_head = nn.Linear(32, 2)
        self.value_head = nn.Linear(32, 1)

    def forward(self, x):
        x = F.relu(self.affine(x))
        return Categorical(logits=self.action_head(x)), self.value_head(x)


def rollout(model, max_steps=30):
    position, log_probs, values, rewards = 0, [], [], []
    while position < LENGTH - 1 and len(rewards) < max_steps:
        dist, value = model(F.one_hot(torch.tensor(position), LENGTH).float())
        action = dist.sample()
        position = max(0, position + (1 if action.item() == 1 else -1))
        log_probs.append(dist.log_prob(action))
        values.append(value)
        rewards.append(1.0 if position == LENGTH - 1 else -0.05)
    returns, R = [], 0.0
    for r in reversed(rewards):
        R = r + gamma * R
        returns.insert(0, R)
    return torch.stack(log_probs), torch.stack(values), torch.tensor(returns), sum(rewards)


model = ActorCritic()
optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
for episode in range(41):
    log_probs, values, returns, score = rollout(model)
    values = values.squeeze(-1)
    advantage = returns - values
    policy_loss = -(log_probs * advantage.detach()).mean()
    value_loss = advantage.pow(2).mean()
    loss = policy_loss + 0.5 * value_loss
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if episode % 10 == 0:
        print(f"episode {episode} score {score:.2f} value loss {value_loss.item():.4f}")
