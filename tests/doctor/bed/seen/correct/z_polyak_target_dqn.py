# expect: nothing
"""DQN on a tiny chain: replay, a target net by soft updates, Huber, epsilon greedy."""

import collections
import copy
import random

import torch
from torch import nn

random.seed(0)
torch.manual_seed(0)
N = 6
q = nn.Sequential(nn.Linear(N, 32), nn.ReLU(), nn.Linear(32, 2))
target = copy.deepcopy(q)
opt = torch.optim.Adam(q.parameters(), lr=3e-3)
memory = collections.deque(maxlen=2000)


def encode(s):
    return nn.functional.one_hot(torch.tensor(s), N).float()


s = 0
for t in range(600):
    with torch.no_grad():
        a = random.randrange(2) if random.random() < max(0.1, 1 - t / 300) else int(q(encode(s)).argmax())
    s2 = min(N - 1, s + 1) if a else max(0, s - 1)
    done = s2 == N - 1
    memory.append((s, a, 1.0 if done else 0.0, s2, float(done)))
    s = 0 if done else s2
    if len(memory) >= 64 and t % 2 == 0:
        bs, ba, br, bs2, bd = (torch.tensor(c) for c in zip(*random.sample(memory, 32), strict=False))
        now = q(encode(bs.tolist())).gather(1, ba[:, None]).squeeze(1)
        with torch.no_grad():
            ahead = br + 0.9 * (1 - bd) * target(encode(bs2.tolist())).max(1).values
        loss = nn.functional.smooth_l1_loss(now, ahead)
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(q.parameters(), 1.0)
        opt.step()
        for pt, pq in zip(target.parameters(), q.parameters(), strict=False):
            pt.data.mul_(0.98).add_(pq.data, alpha=0.02)
with torch.no_grad():
    print("policy", [int(q(encode(i)).argmax()) for i in range(N)], "loss", loss.item())
