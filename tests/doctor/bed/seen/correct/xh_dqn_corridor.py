# expect: nothing
# Single-file DQN on a small corridor world
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
    total_timesteps: int = 4000
    learning_rate: float = 1e-3
    buffer_size: int = 2000
    gamma: float = 0.97
    target_network_frequency: int = 100
    batch_size: int = 64
    start_e: float = 1.0
    end_e: float = 0.05
    exploration_fraction: float = 0.5
    learning_starts: int = 400
    train_frequency: int = 4


class Corridor:
    """Agent on a line of 9 cells; the goal sits left or right, a flag shows where."""

    def __init__(self, rng):
        self.rng = rng

    def _obs(self):
        return np.array([(self.pos - 4) / 4, self.side], dtype=np.float32)

    def reset(self):
        self.pos, self.t = 4, 0
        self.side = float(self.rng.choice([-1, 1]))
        return self._obs()

    def step(self, action):
        move = 1 if action == 1 else -1
        if self.rng.random() < 0.1:
            move = -move
        self.pos, self.t = self.pos + move, self.t + 1
        terminated = self.pos in (0, 8)
        reward = (1.0 if (self.pos == 8) == (self.side > 0) else -1.0) if terminated else -0.01
        return self._obs(), reward, terminated, self.t >= 40


class QNetwork(nn.Module):
    def __init__(self):
        super().__init__()
        self.network = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))

    def forward(self, x):
        return self.network(x)


def linear_schedule(start_e, end_e, duration, t):
    return max((end_e - start_e) / duration * t + start_e, end_e)


if __name__ == "__main__":
    args = Args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    env = Corridor(np.random.default_rng(args.seed))

    q_network = QNetwork()
    optimizer = optim.Adam(q_network.parameters(), lr=args.learning_rate)
    target_network = QNetwork()
    target_network.load_state_dict(q_network.state_dict())
    buffer = []

    obs, episodic, returns = env.reset(), 0.0, []
    for global_step in range(args.total_timesteps):
        epsilon = linear_schedule(args.start_e, args.end_e,
                                  args.exploration_fraction * args.total_timesteps, global_step)
        if random.random() < epsilon:
            action = random.randrange(2)
        else:
            with torch.no_grad():
                action = q_network(torch.from_numpy(obs)).argmax().item()
        next_obs, reward, terminated, truncated = env.step(action)
        episodic += reward
        buffer.append((obs, action, reward, next_obs, float(terminated)))
        if len(buffer) > args.buffer_size:
            buffer.pop(0)
        obs = next_obs
        if terminated or truncated:
            returns.append(episodic)
            obs, episodic = env.reset(), 0.0

        if global_step > args.learning_starts:
            if global_step % args.train_frequency == 0:
                o, a, r, no, d = zip(*random.sample(buffer, args.batch_size))
                o, no = torch.from_numpy(np.stack(o)), torch.from_numpy(np.stack(no))
                a, r, d = torch.tensor(a).unsqueeze(1), torch.tensor(r), torch.tensor(d)
                with torch.no_grad():
                    target_max, _ = target_network(no).max(dim=1)
                    td_target = r + args.gamma * target_max * (1 - d)
                old_val = q_network(o).gather(1, a).squeeze(1)
                loss = F.mse_loss(old_val, td_target)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            if global_step % args.target_network_frequency == 0:
                target_network.load_state_dict(q_network.state_dict())
        if global_step % 800 == 799:
            print(f"global_step={global_step + 1}, episodic_return={np.mean(returns[-30:]):.3f}, epsilon={epsilon:.2f}")
