# expect: nothing
import random
from collections import deque

import numpy as np
import torch
import torch.nn as nn

SEED = 11
random.seed(SEED)
np.random.seed(SEED)
torch.manual_seed(SEED)

SIZE, HORIZON = 6, 30
MOVES = np.array([[0, 1], [0, -1], [1, 0], [-1, 0]])


class GoalGrid:
    """Agent and goal on a small grid; -0.05 a step, +1 for the goal."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def reset(self):
        self.agent, self.goal = self.rng.integers(0, SIZE, (2, 2))
        while (self.agent == self.goal).all():
            self.agent = self.rng.integers(0, SIZE, 2)
        self.t = 0
        return self.obs()

    def obs(self):
        return np.concatenate([self.agent, self.goal]).astype(np.float32) / (SIZE - 1) - 0.5

    def step(self, a):
        self.agent = np.clip(self.agent + MOVES[a], 0, SIZE - 1)
        self.t += 1
        reached = bool((self.agent == self.goal).all())
        return self.obs(), 1.0 if reached else -0.05, reached, self.t >= HORIZON


class QNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(4, 64), nn.ReLU(),
            nn.Linear(64, 64), nn.ReLU(),
            nn.Linear(64, 4),
        )

    def forward(self, obs):
        return self.body(obs)


def act(net, obs, eps):
    if random.random() < eps:
        return random.randrange(4)
    with torch.no_grad():
        return int(net(torch.from_numpy(obs).unsqueeze(0)).argmax(dim=1))


@torch.no_grad()
def evaluate(net, episodes=60):
    net.eval()
    returns, values = [], []
    env = GoalGrid(seed=999)
    for _ in range(episodes):
        obs, ret, over = env.reset(), 0.0, False
        while not over:
            q = net(torch.from_numpy(obs).unsqueeze(0))
            obs, r, done, late = env.step(int(q.argmax(dim=1)))
            values.append(q.max().item())
            ret += r
            over = done or late
        returns.append(ret)
    net.train()
    return np.mean(returns), np.mean(values)


net, target = QNet(), QNet()
target.load_state_dict(net.state_dict())
opt = torch.optim.Adam(net.parameters(), lr=1e-3)
memory = deque(maxlen=10_000)
env = GoalGrid(seed=SEED)
obs = env.reset()

for step in range(1, 5001):
    eps = max(0.1, 1.0 - step / 3000)
    a = act(net, obs, eps)
    nxt, r, done, late = env.step(a)
    memory.append((obs, a, r, nxt, float(done)))
    obs = env.reset() if done or late else nxt

    if step >= 300 and step % 2 == 0:
        o, acts, rew, o2, d = map(np.array, zip(*random.sample(memory, 64)))
        with torch.no_grad():
            best_next = target(torch.from_numpy(o2)).max(dim=1).values
            goal = torch.as_tensor(rew, dtype=torch.float32)
            goal = goal + 0.95 * best_next * (1 - torch.as_tensor(d, dtype=torch.float32))
        q = net(torch.from_numpy(o)).gather(1, torch.as_tensor(acts)[:, None]).squeeze(1)
        loss = nn.functional.smooth_l1_loss(q, goal)
        opt.zero_grad()
        loss.backward()
        opt.step()
    if step % 200 == 0:
        target.load_state_dict(net.state_dict())
    if step % 1000 == 0:
        mean_return, mean_value = evaluate(net)
        print(f"step {step:5d}  eval return {mean_return:6.3f}  mean max-Q {mean_value:6.3f}")
