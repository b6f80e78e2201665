# expect: nothing
# Single-file DQN on a small key-less grid world
import random
import time
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


@dataclass
class Args:
    seed: int = 1
    total_timesteps: int = 3500
    learning_rate: float = 1e-3
    buffer_size: int = 3500
    gamma: float = 0.95
    target_network_frequency: int = 100
    batch_size: int = 64
    start_e: float = 1.0
    end_e: float = 0.05
    exploration_fraction: float = 0.5
    learning_starts: int = 300
    train_frequency: int = 2


class GridEnv:
    """Walk from a random cell to the goal in the corner of a 5x5 grid."""
    moves = [(0, 1), (0, -1), (1, 0), (-1, 0)]

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def obs(self):
        o = np.zeros((5, 5), dtype=np.float32)
        o[self.r, self.c] = 1.0
        return o.reshape(-1)

    def reset(self):
        self.t = 0
        while True:
            self.r, self.c = self.rng.integers(0, 5, 2)
            if (self.r, self.c) != (4, 4):
                return self.obs()

    def step(self, a):
        dr, dc = self.moves[a]
        self.r = int(np.clip(self.r + dr, 0, 4))
        self.c = int(np.clip(self.c + dc, 0, 4))
        self.t += 1
        terminated = (self.r, self.c) == (4, 4)
        return self.obs(), (1.0 if terminated else -0.02), terminated, self.t >= 40


class QNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(nn.Linear(25, 64), nn.ReLU(),
                                     nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))

    def forward(self, x):
        return self.network(x)


def linear_schedule(start_e, end_e, duration, t):
    return max((end_e - start_e) / duration * t + start_e, end_e)


if __name__ == "__main__":
    args = Args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    env = GridEnv(args.seed)
    q_network, target_network = QNetwork(), QNetwork()
    target_network.load_state_dict(q_network.state_dict())
    optimizer = optim.Adam(q_network.parameters(), lr=args.learning_rate)

    buffer, returns, ep_return = [], [], 0.0
    start = time.time()
    obs = env.reset()
    for global_step in range(args.total_timesteps):
        epsilon = linear_schedule(args.start_e, args.end_e,
                                  args.exploration_fraction * args.total_timesteps, global_step)
        if random.random() < epsilon:
            action = random.randrange(4)
        else:
            with torch.no_grad():
                action = q_network(torch.from_numpy(obs)).argmax().item()
        next_obs, reward, terminated, truncated = env.step(action)
        ep_return += reward
        if len(buffer) >= args.buffer_size:
            buffer.pop(0)
        buffer.append((obs, action, reward, next_obs, float(terminated)))
        obs = next_obs
        if terminated or truncated:
            returns.append(ep_return)
            ep_return = 0.0
            obs = env.reset()

        if global_step > args.learning_starts:
            if global_step % args.train_frequency == 0:
                o, a, r, o2, done = zip(*random.sample(buffer, args.batch_size))
                o, o2 = torch.tensor(np.array(o)), torch.tensor(np.array(o2))
                a, r, done = torch.tensor(a), torch.tensor(r), torch.tensor(done)
                with torch.no_grad():
                    target_max = target_network(o2).max(dim=1).values
                    td_target = r + args.gamma * target_max * (1 - done)
                old_val = q_network(o).gather(1, a.unsqueeze(1)).squeeze(1)
                loss = F.mse_loss(td_target, old_val)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            if global_step % args.target_network_frequency == 0:
                target_network.load_state_dict(q_network.state_dict())
        if (global_step + 1) % 700 == 0:
            print(f"global_step={global_step + 1} episodes={len(returns)} "
                  f"mean return of last 20: {np.mean(returns[-20:]):.3f}")
    print("SPS:", int(args.total_timesteps / (time.time() - start)) // 100 * 100)
