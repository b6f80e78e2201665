# expect: softmax_wrong_dim @ 19
"""REINFORCE on a one-step game; the policy's softmax runs over the batch of states."""

import torch
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(0)


class Policy(nn.Module):
    def __init__(self, obs=4, actions=3):
        super().__init__()
        self.affine1 = nn.Linear(obs, 32)
        self.affine2 = nn.Linear(32, actions)

    def forward(self, x):
        scores = self.affine2(torch.relu(self.affine1(x)))
        return torch.softmax(scores, dim=0)


def reward_of(state, action):
    return (state[:, :3].argmax(1) == action).float()


policy = Policy()
optimizer = torch.optim.Adam(policy.parameters(), lr=1e-2)
baseline = 0.0
for episode in range(150):
    state = torch.randn(32, 4)
    dist = Categorical(policy(state))
    action = dist.sample()
    reward = reward_of(state, action)
    loss = -(dist.log_prob(action) * (reward - baseline)).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    baseline = 0.9 * baseline + 0.1 * reward.mean().item()
    if episode % 30 == 0:
        print(f"Episode {episode}\tAverage reward: {baseline:.2f}")
