# expect: nothing
"""Double Q-learning with a slowly following target network on a small cliff walk."""
import random
from collections import deque

import torch
from torch import nn

random.seed(2)
torch.manual_seed(2)
WIDTH, HEIGHT = 5, 3
MOVES = [(0, 1), (0, -1), (1, 0), (-1, 0)]


def step(state, action):
    r = min(max(state[0] + MOVES[action][0], 0), HEIGHT - 1)
    c = min(max(state[1] + MOVES[action][1], 0), WIDTH - 1)
    if r == 0 and 0 < c < WIDTH - 1:
        return (r, c), -1.0, True
    if (r, c) == (0, WIDTH - 1):
        return (r, c), 1.0, True
    return (r, c), -0.02, False


def encode(states):
    out = torch.zeros(len(states), WIDTH * HEIGHT)
    for i, (r, c) in enumerate(states):
        out[i, r * WIDTH + c] = 1.0
    return out


class Q(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(WIDTH * HEIGHT, 32), nn.ReLU(), nn.Linear(32, 4))

    def forward(self, x):
        return self.net(x)

    def follow(self, other, tau):
        for mine, theirs in zip(self.parameters(), other.parameters()):
            mine.data.mul_(1 - tau).add_(theirs.data, alpha=tau)


class Agent:
    def __init__(self, gamma=0.95, lr=3e-3):
        self.q, self.target = Q(), Q()
        self.target.load_state_dict(self.q.state_dict())
        self.opt = torch.optim.Adam(self.q.parameters(), lr=lr)
        self.gamma, self.memory = gamma, deque(maxlen=3000)

    def act(self, state, eps):
        if random.random() < eps:
            return random.randrange(4)
        with torch.no_grad():
            return self.q(encode([state])).argmax().item()

    def learn(self, batch=32):
        s, a, r, s2, done = zip(*random.sample(self.memory, batch))
        a, r = torch.tensor(a), torch.tensor(r)
        alive = 1 - torch.tensor(done, dtype=torch.float32)
        nxt = encode(s2)
        with torch.no_grad():
            best = self.q(nxt).argmax(1, keepdim=True)
        goal = r + self.gamma * alive * self.target(nxt).gather(1, best).squeeze(1).detach()
        guess = self.q(encode(s)).gather(1, a[:, None]).squeeze(1)
        loss = nn.functional.smooth_l1_loss(guess, goal)
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        self.target.follow(self.q, 0.02)
        return loss.item()


def episode(agent, eps, learn):
    s, total = (0, 0), 0.0
    for _ in range(30):
        a = agent.act(s, eps)
        s2, r, done = step(s, a)
        total += r
        if learn:
            agent.memory.append((s, a, r, s2, done))
            if len(agent.memory) >= 200:
                agent.learn()
        s = s2
        if done:
            break
    return total


agent, log = Agent(), []
for ep in range(260):
    log.append(episode(agent, max(0.1, 1 - ep / 150), learn=True))
    if (ep + 1) % 65 == 0:
        print(f"episode {ep + 1}: mean return {sum(log[-40:]) / 40:+.3f}")
print(f"greedy return {episode(agent, 0.0, learn=False):+.3f} (best possible {1 - 0.02 * 5:+.2f})")
