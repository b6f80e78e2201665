# expect: nothing
# single-file policy gradient with a value baseline, on a small corridor made here
import random
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
import torch.optim as optim
from torch.distributions.categorical import Categorical


@dataclass
class Args:
    seed: int = 1
    num_envs: int = 16
    num_steps: int = 24
    num_iterations: int = 60
    learning_rate: float = 3e-3
    gamma: float = 0.97
    ent_coef: float = 0.01
    vf_coef: float = 0.5
    max_grad_norm: float = 0.5


class Corridor:
    """Walk to the goal at one of the two ends; the side is shown in the observation."""

    def __init__(self, n, length=5):
        self.n, self.length = n, length
        self.pos, self.side = np.zeros(n), np.random.choice([-1.0, 1.0], n)

    def obs(self):
        return torch.tensor(np.stack([self.pos / self.length, self.side], axis=1), dtype=torch.float32)

    def step(self, action):
        self.pos = self.pos + (2 * action - 1)
        done = np.abs(self.pos) >= self.length
        reward = np.where(done, np.sign(self.pos) * self.side, -0.02)
        self.pos = np.where(done, 0.0, self.pos)
        self.side = np.where(done, np.random.choice([-1.0, 1.0], self.n), self.side)
        return self.obs(), torch.tensor(reward, dtype=torch.float32), torch.tensor(done, dtype=torch.float32)


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.critic = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 1))
        self.actor = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 2))

    def get_value(self, x):
        return self.critic(x).squeeze(-1)


if __name__ == "__main__":
    args = Args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    envs, agent = Corridor(args.num_envs), Agent()
    optimizer = optim.Adam(agent.parameters(), lr=args.learning_rate, eps=1e-5)
    scheduler = optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, total_iters=args.num_iterations)
    next_obs = envs.obs()
    for iteration in range(1, args.num_iterations + 1):
        obs, actions, rewards, dones = [], [], [], []
        for step in range(args.num_steps):
            with torch.no_grad():
                action = Categorical(logits=agent.actor(next_obs)).sample()
            obs.append(next_obs)
            actions.append(action)
            next_obs, r, d = envs.step(action.numpy())
            rewards.append(r)
            dones.append(d)
        with torch.no_grad():
            ret = agent.get_value(next_obs)
        returns = []
        for r, d in zip(reversed(rewards), reversed(dones)):
            ret = r + args.gamma * ret * (1 - d)
            returns.insert(0, ret)
        b_obs, b_act, b_ret = torch.cat(obs), torch.cat(actions), torch.cat(returns)

        dist = Categorical(logits=agent.actor(b_obs))
        value = agent.get_value(b_obs)
        adv = (b_ret - value).detach()
        adv = (adv - adv.mean()) / (adv.std() + 1e-8)
        pg_loss = -(adv * dist.log_prob(b_act)).mean()
        v_loss = 0.5 * ((value - b_ret) ** 2).mean()
        loss = pg_loss + args.vf_coef * v_loss - args.ent_coef * dist.entropy().mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(agent.parameters(), args.max_grad_norm)
        optimizer.step()
        scheduler.step()
        if iteration % 10 == 0:
            ends = torch.stack(dones).sum().item()
            good = (torch.stack(rewards) > 0.5).sum().item()
            print(f"iteration={iteration}, episodes={ends:.0f}, right_end={good / max(ends, 1):.3f}, v_loss={v_loss.item():.4f}")
