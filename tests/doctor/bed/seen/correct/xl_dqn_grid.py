# expect: nothing
# DQN on a small grid
import random
from collections import deque
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


@dataclass
class Args:
    seed: int = 1
    total_timesteps: int = 10000
    learning_rate: float = 1e-3
    buffer_size: int = 5000
    gamma: float = 0.95
    target_network_frequency: int = 200
    batch_size: int = 64
    exploration_steps: int = 5000
    learning_starts, train_frequency = 300, 4


class GridEnv:
    """5x5 grid; walk to the goal. Observation: two 5x5 planes (agent, goal)."""

    n_actions, size, horizon = 4, 5, 20
    moves = ((-1, 0), (1, 0), (0, -1), (0, 1))

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def obs(self):
        o = np.zeros((2, self.size, self.size), dtype=np.float32)
        o[0][tuple(self.agent)] = 1.0
        o[1][tuple(self.goal)] = 1.0
        return o

    def reset(self):
        a, g = self.rng.choice(self.size ** 2, 2, replace=False)
        self.agent, self.goal, self.t = list(divmod(a, self.size)), list(divmod(g, self.size)), 0
        return self.obs()

    def step(self, action):
        for k in range(2):
            self.agent[k] = int(np.clip(self.agent[k] + self.moves[action][k], 0, self.size - 1))
        self.t += 1
        terminated = self.agent == self.goal
        return self.obs(), 1.0 if terminated else -0.02, terminated, self.t >= self.horizon


class ReplayBuffer:
    def __init__(self, size):
        self.data = deque(maxlen=size)

    def add(self, obs, next_obs, action, reward, done):
        self.data.append((obs, next_obs, [action], np.float32(reward), np.float32(done)))

    def sample(self, n):
        batch = [self.data[i] for i in np.random.randint(0, len(self.data), n)]
        return [torch.from_numpy(np.stack(v)) for v in zip(*batch)]


class QNetwork(nn.Module):
    def __init__(self, env):
        super().__init__()
        self.network = nn.Sequential(nn.Flatten(), nn.Linear(2 * env.size ** 2, 120), nn.ReLU(),
                                     nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, env.n_actions))

    def forward(self, x):
        return self.network(x)


@torch.no_grad()
def evaluate(q_network, env, episodes=100):
    q_network.eval()
    returns = []
    for _ in range(episodes):
        obs, total, done = env.reset(), 0.0, False
        while not done:
            action = q_network(torch.from_numpy(obs)[None]).argmax(1).item()
            obs, reward, term, trunc = env.step(action)
            total, done = total + reward, term or trunc
        returns.append(total)
    return np.mean(returns)


if __name__ == "__main__":
    args = Args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    env = GridEnv(args.seed)
    q_network = QNetwork(env)
    optimizer = torch.optim.Adam(q_network.parameters(), lr=args.learning_rate)
    target_network = QNetwork(env)
    target_network.load_state_dict(q_network.state_dict())
    rb = ReplayBuffer(args.buffer_size)

    obs = env.reset()
    for global_step in range(args.total_timesteps):
        epsilon = max(0.05, 1.0 - 0.95 * global_step / args.exploration_steps)
        if random.random() < epsilon:
            action = random.randrange(env.n_actions)
        else:
            with torch.no_grad():
                action = q_network(torch.from_numpy(obs)[None]).argmax(1).item()
        next_obs, reward, terminated, truncated = env.step(action)
        rb.add(obs, next_obs, action, reward, terminated)
        obs = env.reset() if terminated or truncated else next_obs

        if global_step > args.learning_starts:
            if global_step % args.train_frequency == 0:
                b_obs, b_next, b_act, b_rew, b_done = rb.sample(args.batch_size)
                with torch.no_grad():
                    target_max, _ = target_network(b_next).max(dim=1)
                    td_target = b_rew + args.gamma * target_max * (1 - b_done)
                old_val = q_network(b_obs).gather(1, b_act).squeeze(1)
                loss = F.mse_loss(td_target, old_val)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            if global_step % args.target_network_frequency == 0:
                target_network.load_state_dict(q_network.state_dict())
        if global_step % 2500 == 2499:
            print(f"global_step={global_step + 1}, epsilon={epsilon:.2f}, loss={loss.item():.5f}")

    print(f"eval: mean_return={evaluate(q_network, GridEnv(args.seed + 100)):.3f}")
