# expect: nothing
"""Double DQN with replay and a soft target network; the agent crosses a windy 5 x 4 terrain to its eastern edge."""
import random
from collections import deque, namedtuple

import torch
import torch.nn as nn
import torch.nn.functional as F

Transition = namedtuple("Transition", "state action reward next_state done")
W, H, LIMIT = 5, 4, 16
PITS = {(2, 1), (2, 2)}


class Windy:
    moves = [(1, 0), (-1, 0), (0, 1), (0, -1)]

    def __init__(self, rnd):
        self.rnd = rnd

    def reset(self):
        self.x, self.y, self.t = 0, self.rnd.randrange(H), 0
        return self.state()

    def state(self):
        s = torch.zeros(W * H)
        s[self.x * H + self.y] = 1.0
        return s

    def step(self, a):
        dx, dy = self.moves[a]
        if self.rnd.random() < 0.05:
            dy += self.rnd.choice([-1, 1])
        self.x = min(max(self.x + dx, 0), W - 1)
        self.y = min(max(self.y + dy, 0), H - 1)
        self.t += 1
        if (self.x, self.y) in PITS:
            return self.state(), -1.0, True, True
        if self.x == W - 1:
            return self.state(), 1.0, True, True
        return self.state(), -0.02, False, self.t >= LIMIT


class Replay:
    def __init__(self, size, rnd):
        self.buf, self.rnd = deque(maxlen=size), rnd

    def push(self, *args):
        self.buf.append(Transition(*args))

    def sample(self, n):
        s, a, r, s2, d = zip(*self.rnd.sample(self.buf, n))
        return torch.stack(s), torch.tensor(a), torch.tensor(r), torch.stack(s2), torch.tensor(d, dtype=torch.float32)


def optimise(policy, target, opt, memory, gamma=0.95, tau=0.03):
    s, a, r, s2, d = memory.sample(32)
    q = policy(s).gather(1, a[:, None]).squeeze(1)
    with torch.no_grad():
        best = policy(s2).argmax(1, keepdim=True)
        goal = r + gamma * (1 - d) * target(s2).gather(1, best).squeeze(1)
    loss = F.smooth_l1_loss(q, goal)
    opt.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
    opt.step()
    with torch.no_grad():
        for tp, pp in zip(target.parameters(), policy.parameters()):
            tp.lerp_(pp, tau)
    return loss.item()


def play(env, policy, eps, rnd, learn=None):
    s, total, over = env.reset(), 0.0, False
    while not over:
        if rnd.random() < eps:
            a = rnd.randrange(4)
        else:
            with torch.no_grad():
                a = policy(s[None]).argmax(1).item()
        s2, r, done, over = env.step(a)
        if learn is not None:
            learn(s, a, r, s2, done)
        s, total = s2, total + r
    return total


torch.manual_seed(1)
rnd = random.Random(1)
policy = nn.Sequential(nn.Linear(W * H, 48), nn.ReLU(), nn.Linear(48, 4))
target = nn.Sequential(nn.Linear(W * H, 48), nn.ReLU(), nn.Linear(48, 4))
target.load_state_dict(policy.state_dict())
opt = torch.optim.AdamW(policy.parameters(), lr=5e-3)
memory, env = Replay(3000, rnd), Windy(rnd)


def learn(*transition):
    memory.push(*transition)
    if len(memory.buf) >= 100:
        optimise(policy, target, opt, memory)


recent = []
for episode in range(160):
    eps = max(0.05, 1.0 - episode / 90)
    recent.append(play(env, policy, eps, rnd, learn))
    if (episode + 1) % 40 == 0:
        print(f"episode {episode + 1} mean return {sum(recent[-40:]) / 40:+.3f}")

trial = Windy(random.Random(99))
scores = [play(trial, policy, 0.0, rnd) for _ in range(50)]
print(f"greedy return over 50 fresh episodes {sum(scores) / 50:+.3f}")
