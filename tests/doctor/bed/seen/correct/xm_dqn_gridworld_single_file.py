# expect: nothing
# Deep Q-learning in one file (CleanRL manner), small grid drawn as an image with two planes
import random
from collections import deque

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

SEED = 1
TOTAL_STEPS = 4000
LEARNING_STARTS = 200
TRAIN_FREQUENCY = 2
TARGET_FREQUENCY = 100
BATCH_SIZE = 64
GAMMA = 0.95
SIZE = 4


class GridEnv:
    """The agent walks to the goal; -0.02 each step, +1 at the goal; at most 30 steps."""

    moves = [(-1, 0), (1, 0), (0, -1), (0, 1)]

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def obs(self):
        o = np.zeros((2, SIZE, SIZE), dtype=np.float32)
        o[0][self.pos] = 1.0
        o[1][self.goal] = 1.0
        return o

    def reset(self):
        cells = self.rng.choice(SIZE * SIZE, 2, replace=False)
        self.pos, self.goal = [(int(c) // SIZE, int(c) % SIZE) for c in cells]
        self.t = 0
        return self.obs()

    def step(self, action):
        dr, dc = self.moves[action]
        self.pos = (min(max(self.pos[0] + dr, 0), SIZE - 1), min(max(self.pos[1] + dc, 0), SIZE - 1))
        self.t += 1
        terminated = self.pos == self.goal
        truncated = self.t >= 30 and not terminated
        return self.obs(), (1.0 if terminated else -0.02), terminated, truncated


class QNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(
            nn.Flatten(), nn.Linear(2 * SIZE * SIZE, 96), nn.ReLU(),
            nn.Linear(96, 96), nn.ReLU(), nn.Linear(96, 4))

    def forward(self, x):
        return self.network(x)


def play(env, q, episodes):
    q.eval()
    solved = 0
    with torch.no_grad():
        for _ in range(episodes):
            o, over = env.reset(), False
            while not over:
                o, _, terminated, truncated = env.step(int(q(torch.from_numpy(o)[None]).argmax(1)))
                over = terminated or truncated
            solved += terminated
    q.train()
    return solved / episodes


if __name__ == "__main__":
    random.seed(SEED)
    np.random.seed(SEED)
    torch.manual_seed(SEED)
    env = GridEnv(SEED)
    q_network, target_network = QNetwork(), QNetwork()
    target_network.load_state_dict(q_network.state_dict())
    optimizer = torch.optim.Adam(q_network.parameters(), lr=1e-3)
    buffer = deque(maxlen=4000)

    obs = env.reset()
    for step in range(1, TOTAL_STEPS + 1):
        epsilon = max(0.1, 1.0 - step / (0.6 * TOTAL_STEPS))
        if random.random() < epsilon:
            action = random.randrange(4)
        else:
            with torch.no_grad():
                action = int(q_network(torch.from_numpy(obs)[None]).argmax(1))
        nxt, reward, terminated, truncated = env.step(action)
        buffer.append((obs, action, reward, nxt, float(terminated)))
        obs = env.reset() if terminated or truncated else nxt

        if step > LEARNING_STARTS and step % TRAIN_FREQUENCY == 0:
            o, a, r, n, d = map(np.array, zip(*random.sample(buffer, BATCH_SIZE)))
            with torch.no_grad():
                target_max = target_network(torch.from_numpy(n)).max(dim=1).values
                td_target = torch.tensor(r, dtype=torch.float32) + GAMMA * target_max * (1 - torch.tensor(d, dtype=torch.float32))
            old_val = q_network(torch.from_numpy(o)).gather(1, torch.tensor(a)[:, None]).squeeze(1)
            loss = F.mse_loss(old_val, td_target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if step % TARGET_FREQUENCY == 0:
            target_network.load_state_dict(q_network.state_dict())
        if step % 1000 == 0:
            print(f"step {step}: td loss {loss.item():.4f}, epsilon {epsilon:.2f}")
    print(f"solved in play: {play(GridEnv(SEED + 100), q_network, 100):.2f}")
