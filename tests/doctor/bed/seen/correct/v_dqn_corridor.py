# expect: nothing
"""DQN with a replay memory and a target network on a small corridor."""
import copy
import random

import torch
import torch.nn as nn

random.seed(2)
torch.manual_seed(2)
SIZE, GAMMA = 8, 0.95


def one_hot(s):
    return torch.eye(SIZE)[s]


def env_step(s, a):
    s2 = max(0, min(SIZE - 1, s + (1 if a == 1 else -1)))
    done = s2 == SIZE - 1
    return s2, (1.0 if done else -0.01), done


q = nn.Sequential(nn.Linear(SIZE, 32), nn.ReLU(), nn.Linear(32, 2))
target = copy.deepcopy(q)
opt = torch.optim.Adam(q.parameters(), lr=3e-3)
memory = []


def learn(batch):
    s, a, r, s2, d = zip(*batch)
    s, a, r = one_hot(torch.tensor(s)), torch.tensor(a), torch.tensor(r)
    s2, d = one_hot(torch.tensor(s2)), torch.tensor(d, dtype=torch.float32)
    value = q(s).gather(1, a[:, None]).squeeze(1)
    with torch.no_grad():
        goal = r + GAMMA * (1 - d) * target(s2).max(1).values
    loss = nn.functional.smooth_l1_loss(value, goal)
    opt.zero_grad()
    loss.backward()
    opt.step()
    return loss.item()


steps = 0
for episode in range(60):
    s, done, t, eps = random.randrange(SIZE - 1), False, 0, max(0.1, 1 - episode / 30)
    while not done and t < 40:
        with torch.no_grad():
            a = random.randrange(2) if random.random() < eps else q(one_hot(s)).argmax().item()
        s2, r, done = env_step(s, a)
        memory.append((s, a, r, s2, done))
        s, t, steps = s2, t + 1, steps + 1
        if len(memory) >= 64:
            loss = learn(random.sample(memory, 32))
        if steps % 50 == 0:
            target.load_state_dict(q.state_dict())
    if episode % 20 == 19:
        print(f"episode {episode + 1} length {t} loss {loss:.4f}")

with torch.no_grad():
    print("greedy actions", q(torch.eye(SIZE)).argmax(1).tolist()[:-1])
