# expect: nothing
"""Deep Q-learning on a small corridor with a replay buffer and a target network."""
import copy
import random
from collections import deque

import torch
import torch.nn as nn
import torch.nn.functional as F

N = 7


class Corridor:
    def reset(self):
        self.pos, self.t = 2, 0
        return self.obs()

    def obs(self):
        return F.one_hot(torch.tensor(self.pos), N).float()

    def step(self, action):
        self.pos = max(0, min(N - 1, self.pos + (1 if action == 1 else -1)))
        self.t += 1
        done = self.pos in (0, N - 1) or self.t >= 25
        reward = 1.0 if self.pos == N - 1 else (0.2 if self.pos == 0 else -0.01)
        return self.obs(), reward, done


class Agent:
    def __init__(self, lr=0.05, gamma=0.95):
        self.q = nn.Sequential(nn.Linear(N, 32), nn.ReLU(), nn.Linear(32, 2))
        self.target = copy.deepcopy(self.q).requires_grad_(False)
        self.optim = torch.optim.SGD(self.q.parameters(), lr=lr)
        self.memory = deque(maxlen=2000)
        self.gamma = gamma

    def act(self, obs, eps):
        if random.random() < eps:
            return random.randrange(2)
        with torch.no_grad():
            return int(self.q(obs).argmax())

    def learn(self, batch_size=32):
        s, a, r, s2, d = zip(*random.sample(self.memory, batch_size))
        s, s2 = torch.stack(s), torch.stack(s2)
        a, r, d = torch.tensor(a), torch.tensor(r), torch.tensor(d, dtype=torch.float32)
        with torch.no_grad():
            best = r + self.gamma * (1 - d) * self.target(s2).max(1).values
        value = self.q(s).gather(1, a.unsqueeze(1)).squeeze(1)
        loss = F.smooth_l1_loss(value, best)
        self.optim.zero_grad()
        loss.backward()
        self.optim.step()
        return loss.item()

    def sync(self):
        self.target.load_state_dict(self.q.state_dict())


random.seed(3)
torch.manual_seed(3)
env, agent, updates = Corridor(), Agent(), 0
for episode in range(120):
    obs, done, eps = env.reset(), False, max(0.1, 1 - episode / 60)
    while not done:
        action = agent.act(obs, eps)
        nxt, reward, done = env.step(action)
        agent.memory.append((obs, action, reward, nxt, float(done)))
        obs = nxt
        if len(agent.memory) >= 64:
            td = agent.learn()
            updates += 1
            if updates % 25 == 0:
                agent.sync()
obs, done, ret = env.reset(), False, 0.0
while not done:
    obs, reward, done = env.step(agent.act(obs, 0.0))
    ret += reward
print(f"td loss {td:.4f}  greedy return {ret:.2f}")
print("Q at start", agent.q(F.one_hot(torch.tensor(2), N).float()).tolist())
