# expect: nothing
"""DQN on a corridor with a replay buffer and a target network copied every few updates."""
import copy
import random
from collections import deque
import torch
from torch import nn

N = 8


def onehot(s):
    v = torch.zeros(N)
    v[s] = 1.0
    return v


def move(s, a):
    s2 = max(0, s - 1) if a == 0 else s + 1
    return s2, (1.0 if s2 == N - 1 else -0.01), s2 == N - 1


random.seed(0)
torch.manual_seed(0)
q = nn.Sequential(nn.Linear(N, 32), nn.ReLU(), nn.Linear(32, 2))
target = copy.deepcopy(q)
opt = torch.optim.Adam(q.parameters(), lr=5e-3)
buffer = deque(maxlen=2000)
updates = 0
for episode in range(50):
    s, done, steps = 0, False, 0
    eps = max(0.05, 1.0 - episode / 25)
    while not done and steps < 40:
        if random.random() < eps:
            a = random.randrange(2)
        else:
            with torch.no_grad():
                a = int(q(onehot(s)).argmax())
        s2, r, done = move(s, a)
        buffer.append((onehot(s), a, r, onehot(s2), float(done)))
        s, steps = s2, steps + 1
        if len(buffer) >= 64:
            bs, ba, br, bs2, bd = zip(*random.sample(buffer, 32))
            with torch.no_grad():
                best = target(torch.stack(bs2)).max(1).values
                y = torch.tensor(br) + 0.95 * (1 - torch.tensor(bd)) * best
            pred = q(torch.stack(bs)).gather(1, torch.tensor(ba).unsqueeze(1)).squeeze(1)
            loss = nn.functional.smooth_l1_loss(pred, y)
            opt.zero_grad()
            loss.backward()
            opt.step()
            updates += 1
            if updates % 50 == 0:
                target.load_state_dict(q.state_dict())
with torch.no_grad():
    policy = [int(q(onehot(s)).argmax()) for s in range(N - 1)]
print("updates", updates, "last loss", round(loss.item(), 5), "policy", policy)
