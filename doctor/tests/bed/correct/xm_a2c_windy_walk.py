# expect: nothing
# single-file advantage actor critic on a small windy walk
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
    total_timesteps: int = 24000
    learning_rate: float = 3e-3
    num_envs: int = 16
    num_steps: int = 20
    gamma: float = 0.97
    ent_coef: float = 0.01
    vf_coef: float = 0.5
    max_grad_norm: float = 0.5


class WindyWalk:
    """The agent is pushed around on a line and should keep near a target that it sees."""

    def __init__(self, num_envs, seed):
        self.n = num_envs
        self.rng = np.random.default_rng(seed)
        self.horizon = 30

    def reset(self):
        self.pos = self.rng.uniform(-1, 1, self.n)
        self.goal = self.rng.uniform(-1, 1, self.n)
        self.t = self.rng.integers(0, self.horizon, self.n)
        self.ret = np.zeros(self.n)
        return self._obs()

    def _obs(self):
        return np.stack([self.pos, self.goal, self.pos - self.goal], axis=1).astype(np.float32)

    def step(self, action):
        self.pos = np.clip(self.pos + 0.15 * (action - 1) + self.rng.normal(0, 0.03, self.n), -1.5, 1.5)
        reward = 0.5 - np.abs(self.pos - self.goal)
        self.t += 1
        self.ret += reward
        done = self.t >= self.horizon
        finished = self.ret[done].copy()
        k = int(done.sum())
        self.pos[done] = self.rng.uniform(-1, 1, k)
        self.goal[done] = self.rng.uniform(-1, 1, k)
        self.t[done], self.ret[done] = 0, 0.0
        return self._obs(), reward.astype(np.float32), done.astype(np.float32), finished


def layer_init(layer, std=np.sqrt(2), bias_const=0.0):
    torch.nn.init.orthogonal_(layer.weight, std)
    torch.nn.init.constant_(layer.bias, bias_const)
    return layer


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.critic = nn.Sequential(layer_init(nn.Linear(3, 32)), nn.Tanh(),
                                    layer_init(nn.Linear(32, 1), std=1.0))
        self.actor = nn.Sequential(layer_init(nn.Linear(3, 32)), nn.Tanh(),
                                   layer_init(nn.Linear(32, 3), std=0.01))


if __name__ == "__main__":
    args = Args()
    random.seed(args.seed)
    np.random.seed(args.seed)
    torch.manual_seed(args.seed)
    envs = WindyWalk(args.num_envs, args.seed)
    agent = Agent()
    optimizer = optim.Adam(agent.parameters(), lr=args.learning_rate, eps=1e-5)
    num_updates = args.total_timesteps // (args.num_envs * args.num_steps)
    next_obs = torch.from_numpy(envs.reset())
    episode_returns = []

    for update in range(1, num_updates + 1):
        obs, actions, rewards, dones = [], [], [], []
        for _ in range(args.num_steps):
            with torch.no_grad():
                action = Categorical(logits=agent.actor(next_obs)).sample()
            obs.append(next_obs)
            actions.append(action)
            o, r, d, finished = envs.step(action.numpy())
            rewards.append(torch.from_numpy(r))
            dones.append(torch.from_numpy(d))
            episode_returns.extend(finished.tolist())
            next_obs = torch.from_numpy(o)

        with torch.no_grad():
            ret = agent.critic(next_obs).squeeze(-1)
            returns = []
            for r, d in zip(reversed(rewards), reversed(dones)):
                ret = r + args.gamma * ret * (1.0 - d)
                returns.insert(0, ret)
        b_obs, b_actions, b_returns = torch.cat(obs), torch.cat(actions), torch.cat(returns)

        dist = Categorical(logits=agent.actor(b_obs))
        values = agent.critic(b_obs).squeeze(-1)
        advantages = (b_returns - values).detach()
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        pg_loss = -(dist.log_prob(b_actions) * advantages).mean()
        v_loss = ((values - b_returns) ** 2).mean()
        loss = pg_loss + args.vf_coef * v_loss - args.ent_coef * dist.entropy().mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(agent.parameters(), args.max_grad_norm)
        optimizer.step()
        if update % 15 == 0:
            print(f"global_step={update * args.num_envs * args.num_steps} "
                  f"episodic_return={np.mean(episode_returns[-40:]):.2f} v_loss={v_loss.item():.3f}")
