# expect: nothing
# DQN in a single file, on a 5x5 grid with walls
import random
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


@dataclass
class Args:
    seed: int = 1
    total_timesteps: int = 5000
    learning_rate: float = 1e-3
    buffer_size: int = 5000
    gamma: float = 0.97
    target_network_frequency: int = 100
    batch_size: int = 64
    start_e: float = 1.0
    end_e: float = 0.05
    exploration_fraction: float = 0.5
    learning_starts: int = 300
    train_frequency: int = 3


class GridEnv:
    walls, goal, size, limit = {(1, 1), (1, 2), (3, 3), (3, 2)}, (4, 4), 5, 40
    moves = [(-1, 0), (1, 0), (0, -1), (0, 1)]

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def obs(self):
        o = np.zeros(25, dtype=np.float32)
        o[self.pos[0] * 5 + self.pos[1]] = 1.0
        return o

    def reset(self):
        free = [(r, c) for r in range(5) for c in range(5) if (r, c) not in self.walls and (r, c) != self.goal]
        self.pos, self.t = free[self.rng.integers(len(free))], 0
        return self.obs()

    def step(self, a):
        r, c = self.pos[0] + self.moves[a][0], self.pos[1] + self.moves[a][1]
        if 0 <= r < 5 and 0 <= c < 5 and (r, c) not in self.walls:
            self.pos = (r, c)
        self.t += 1
        terminated = self.pos == self.goal
        return self.obs(), (1.0 if terminated else -0.02), terminated, self.t >= self.limit


class QNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(nn.Linear(25, 64), nn.ReLU(), nn.Linear(64, 4))

    def forward(self, x):
        return self.network(x)


class ReplayBuffer:
    def __init__(self, size):
        self.size, self.data, self.i = size, [], 0

    def add(self, *item):
        if len(self.data) < self.size:
            self.data.append(item)
        else:
            self.data[self.i] = item
        self.i = (self.i + 1) % self.size

    def sample(self, n):
        o, no, a, r, d = zip(*random.sample(self.data, n))
        return (torch.from_numpy(np.stack(o)), torch.from_numpy(np.stack(no)), torch.tensor(a),
                torch.tensor(r), torch.tensor(d, dtype=torch.float32))


def linear_schedule(start_e, end_e, duration, t):
    return max((end_e - start_e) / duration * t + start_e, end_e)


@torch.no_grad()
def evaluate(q_network, env, episodes):
    returns = []
    for _ in range(episodes):
        obs, total, done = env.reset(), 0.0, False
        while not done:
            obs, reward, terminated, truncated = env.step(q_network(torch.from_numpy(obs)).argmax().item())
            total, done = total + reward, terminated or truncated
        returns.append(total)
    return float(np.mean(returns))


if __name__ == "__main__":
    args = Args()
    random.seed(args.seed)
    torch.manual_seed(args.seed)
    env = GridEnv(args.seed)

    q_network = QNetwork()
    optimizer = optim.Adam(q_network.parameters(), lr=args.learning_rate)
    target_network = QNetwork()
    target_network.load_state_dict(q_network.state_dict())
    rb = ReplayBuffer(args.buffer_size)

    obs, episodic_return, recent = env.reset(), 0.0, []
    for global_step in range(args.total_timesteps):
        epsilon = linear_schedule(args.start_e, args.end_e, args.exploration_fraction * args.total_timesteps, global_step)
        if random.random() < epsilon:
            action = random.randrange(4)
        else:
            with torch.no_grad():
                action = q_network(torch.from_numpy(obs)).argmax().item()
        next_obs, reward, terminated, truncated = env.step(action)
        rb.add(obs, next_obs, action, reward, terminated)
        episodic_return += reward
        obs = next_obs
        if terminated or truncated:
            recent.append(episodic_return)
            obs, episodic_return = env.reset(), 0.0

        if global_step > args.learning_starts:
            if global_step % args.train_frequency == 0:
                b_obs, b_next, b_act, b_rew, b_done = rb.sample(args.batch_size)
                with torch.no_grad():
                    target_max = target_network(b_next).max(dim=1).values
                    td_target = b_rew + args.gamma * target_max * (1 - b_done)
                old_val = q_network(b_obs).gather(1, b_act.unsqueeze(1)).squeeze(1)
                loss = F.mse_loss(old_val, td_target)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            if global_step % args.target_network_frequency == 0:
                target_network.load_state_dict(q_network.state_dict())
        if (global_step + 1) % 1000 == 0:
            print(f"global_step={global_step + 1}, episodic_return={np.mean(recent[-20:]):.3f}, epsilon={epsilon:.2f}")

    print(f"greedy policy, mean return over 100 episodes: {evaluate(q_network, GridEnv(args.seed + 100), 100):.3f}")
