# expect: nothing
"""DQN with a target network and a replay memory on a five-by-five grid."""
import random
from collections import deque

import torch
import torch.nn.functional as F
from torch import nn

SIZE, GAMMA, GOAL = 5, 0.95, (4, 4)
MOVES = [(0, 1), (0, -1), (1, 0), (-1, 0)]
random.seed(0)
torch.manual_seed(0)


def encode(pos):
    return F.one_hot(torch.tensor(pos[0] * SIZE + pos[1]), SIZE * SIZE).float()


def step(pos, a):
    nxt = tuple(min(max(p + d, 0), SIZE - 1) for p, d in zip(pos, MOVES[a]))
    return nxt, (1.0 if nxt == GOAL else -0.02), nxt == GOAL


def q_net():
    return nn.Sequential(nn.Linear(SIZE * SIZE, 48), nn.ReLU(), nn.Linear(48, len(MOVES)))


online, target = q_net(), q_net()
target.load_state_dict(online.state_dict())
target.requires_grad_(False)
opt = torch.optim.Adam(online.parameters(), lr=3e-3)
memory = deque(maxlen=3000)


@torch.no_grad()
def act(pos, eps):
    if random.random() < eps:
        return random.randrange(len(MOVES))
    return online(encode(pos)).argmax().item()


def learn(batch):
    s, a, r, s2, done = zip(*batch)
    a, r, done = torch.tensor(a), torch.tensor(r), torch.tensor(done, dtype=torch.float32)
    q = online(torch.stack(s)).gather(1, a[:, None]).squeeze(1)
    with torch.no_grad():
        goal = r + GAMMA * (1 - done) * target(torch.stack(s2)).max(dim=1).values
    loss = F.smooth_l1_loss(q, goal)
    opt.zero_grad()
    loss.backward()
    opt.step()
    return loss.item()


updates = 0
for episode in range(80):
    pos, done, t = (random.randrange(4), random.randrange(4)), False, 0
    while not done and t < 30:
        a = act(pos, eps=max(0.1, 1 - episode / 40))
        nxt, r, done = step(pos, a)
        memory.append((encode(pos), a, r, encode(nxt), done))
        pos, t = nxt, t + 1
        if len(memory) >= 64:
            loss = learn(random.sample(memory, 32))
            updates += 1
            if updates % 50 == 0:
                target.load_state_dict(online.state_dict())
    if episode % 20 == 19:
        print(f"episode {episode + 1}: {t} steps, loss {loss:.4f}")

online.eval()
solved = 0
for start in [(r, c) for r in range(SIZE) for c in range(SIZE) if (r, c) != GOAL]:
    pos, done = start, False
    for _ in range(12):
        pos, _, done = step(pos, act(pos, eps=0.0))
        if done:
            break
    solved += done
print(f"greedy policy reaches the goal from {solved} of {SIZE * SIZE - 1} squares")
