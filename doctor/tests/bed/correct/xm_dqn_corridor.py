# expect: nothing
# a single-file DQN on a small vectorised corridor with keys
import random
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim


@dataclass
class Args:
    exp_name: str = "dqn_corridor"
    seed: int = 1
    total_timesteps: int = 3500
    learning_rate: float = 2e-3
    buffer_size: int = 3000
    gamma: float = 0.95
    target_network_frequency: int = 100
    batch_size: int = 32
    start_e: float = 1.0
    end_e: float = 0.05
    exploration_fraction: float = 0.5
    learning_starts: int = 300
    train_frequency: int = 2


class CorridorEnv:
    """Walk right to fetch the key, then left to the door."""

    length, horizon = 7, 30

    def reset(self):
        self.pos, self.key, self.t = self.length // 2, 0, 0
        return self._obs()

    def _obs(self):
        obs = np.zeros(self.length + 1, dtype=np.float32)
        obs[self.pos] = 1.0
        obs[-1] = self.key
        return obs

    def step(self, action):
        self.pos = int(np.clip(self.pos + (1 if action == 1 else -1), 0, self.length - 1))
        self.t += 1
        reward, terminated = -0.01, False
        if self.pos == self.length - 1 and not self.key:
            self.key, reward = 1, 0.3
        elif self.pos == 0 and self.key:
            reward, terminated = 1.0, True
        return self._obs(), reward, terminated, self.t >= self.horizon


class ReplayBuffer:
    def __init__(self, size, obs_dim):
        self.obs = np.zeros((size, obs_dim), dtype=np.float32)
        self.next_obs = np.zeros((size, obs_dim), dtype=np.float32)
        self.actions = np.zeros(size, dtype=np.int64)
        self.rewards = np.zeros(size, dtype=np.float32)
        self.dones = np.zeros(size, dtype=np.float32)
        self.size, self.ptr, self.full = size, 0, False

    def add(self, obs, next_obs, action, reward, done):
        i = self.ptr
        self.obs[i], self.next_obs[i], self.actions[i] = obs, next_obs, action
        self.rewards[i], self.dones[i] = reward, done
        self.ptr = (i + 1) % self.size
        self.full = self.full or self.ptr == 0

    def sample(self, n):
        idx = np.random.randint(0, self.size if self.full else self.ptr, size=n)
        return (torch.from_numpy(a[idx]) for a in (self.obs, self.next_obs, self.actions, self.rewards, self.dones))


def make_q_network(obs_dim, n_actions):
    return nn.Sequential(nn.Linear(obs_dim, 64), nn.ReLU(), nn.Linear(64, n_actions))


def linear_schedule(start_e, end_e, duration, t):
    return max((end_e - start_e) / duration * t + start_e, end_e)


if __name__ == "__main__":
    args = Args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)

    env = CorridorEnv()
    obs_dim = env.length + 1
    q_network = make_q_network(obs_dim, 2)
    optimizer = optim.Adam(q_network.parameters(), lr=args.learning_rate)
    target_network = make_q_network(obs_dim, 2)
    target_network.load_state_dict(q_network.state_dict())
    rb = ReplayBuffer(args.buffer_size, obs_dim)

    obs, episodic_return, returns = env.reset(), 0.0, []
    for global_step in range(args.total_timesteps):
        epsilon = linear_schedule(args.start_e, args.end_e, args.exploration_fraction * args.total_timesteps, global_step)
        if random.random() < epsilon:
            action = random.randrange(2)
        else:
            with torch.no_grad():
                action = torch.argmax(q_network(torch.from_numpy(obs).unsqueeze(0)), dim=1).item()
        next_obs, reward, terminated, truncated = env.step(action)
        rb.add(obs, next_obs, action, reward, terminated)
        episodic_return += reward
        obs = next_obs
        if terminated or truncated:
            returns.append(episodic_return)
            obs, episodic_return = env.reset(), 0.0

        if global_step > args.learning_starts:
            if global_step % args.train_frequency == 0:
                b_obs, b_next, b_actions, b_rewards, b_dones = rb.sample(args.batch_size)
                with torch.no_grad():
                    target_max, _ = target_network(b_next).max(dim=1)
                    td_target = b_rewards + args.gamma * target_max * (1 - b_dones)
                old_val = q_network(b_obs).gather(1, b_actions.unsqueeze(1)).squeeze(1)
                loss = F.mse_loss(td_target, old_val)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                if global_step % 500 == 0:
                    print(f"step={global_step} loss={loss.item():.4f} return={np.mean(returns[-20:]):.3f}")
            if global_step % args.target_network_frequency == 0:
                target_network.load_state_dict(q_network.state_dict())
    print(f"{args.exp_name}: mean return of last 20 episodes {np.mean(returns[-20:]):.3f}")
