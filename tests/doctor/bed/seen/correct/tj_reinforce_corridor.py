# expect: nothing
"""REINFORCE with a learned baseline in the manner of the PyTorch examples, on a small windy corridor written here."""
import argparse
from collections import deque

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Categorical

parser = argparse.ArgumentParser()
parser.add_argument("--gamma", type=float, default=0.97)
parser.add_argument("--lr", type=float, default=0.01)
parser.add_argument("--episodes", type=int, default=150)
parser.add_argument("--seed", type=int, default=543)
parser.add_argument("--log-interval", type=int, default=30)
args = parser.parse_args()


class Corridor:
    """Reach the right end within 20 moves; the wind pushes back in the middle, jumping (action 2) overcomes it."""

    length, limit = 8, 20

    def __init__(self, rng):
        self.rng = rng

    def reset(self):
        self.place, self.moves = int(self.rng.integers(3)), 0
        return self.observe()

    def observe(self):
        windy = 3 <= self.place <= 5
        return np.array([self.place / self.length, float(windy), self.moves / self.limit], dtype=np.float32)

    def step(self, action):
        windy = 3 <= self.place <= 5
        self.moves += 1
        reward = -0.1
        if action == 0:
            self.place -= 1
        elif action == 1:
            self.place += -1 if windy and self.rng.random() < 0.7 else 1
        else:
            self.place += 1 if windy else 0
            reward -= 0.1
        self.place = max(0, self.place)
        arrived = self.place >= self.length
        return self.observe(), reward + 2.0 * arrived, arrived or self.moves >= self.limit


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine = nn.Linear(3, 32)
        self.action_head = nn.Linear(32, 3)
        self.value_head = nn.Linear(32, 1)
        self.saved_actions = []
        self.rewards = []

    def forward(self, x):
        x = torch.tanh(self.affine(x))
        return F.softmax(self.action_head(x), dim=-1), self.value_head(x).squeeze(-1)


rng = np.random.default_rng(args.seed)
torch.manual_seed(args.seed)
env = Corridor(rng)
model = Policy()
optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)


def select_action(state):
    probs, value = model(torch.from_numpy(state))
    m = Categorical(probs)
    action = m.sample()
    model.saved_actions.append((m.log_prob(action), value))
    return action.item()


def finish_episode():
    R, returns = 0.0, deque()
    for r in model.rewards[::-1]:
        R = r + args.gamma * R
        returns.appendleft(R)
    returns = torch.tensor(returns)
    log_probs = torch.stack([lp for lp, _ in model.saved_actions])
    values = torch.stack([v for _, v in model.saved_actions])
    advantage = returns - values.detach()
    loss = -(log_probs * advantage).sum() + F.smooth_l1_loss(values, returns, reduction="sum")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    del model.rewards[:]
    del model.saved_actions[:]


running_reward = None
for i_episode in range(1, args.episodes + 1):
    state, done = env.reset(), False
    while not done:
        state, reward, done = env.step(select_action(state))
        model.rewards.append(reward)
    ep_reward = sum(model.rewards)
    running_reward = ep_reward if running_reward is None else 0.05 * ep_reward + 0.95 * running_reward
    finish_episode()
    if i_episode % args.log_interval == 0:
        print(f"Episode {i_episode}\tLast reward: {ep_reward:.2f}\tAverage reward: {running_reward:.2f}")

model.eval()
totals = []
with torch.no_grad():
    for _ in range(50):
        state, done, total = env.reset(), False, 0.0
        while not done:
            probs, _ = model(torch.from_numpy(state))
            state, reward, done = env.step(int(probs.argmax()))
            total += reward
        totals.append(total)
print(f"greedy policy: mean return {np.mean(totals):.2f}")
