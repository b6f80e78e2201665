# expect: nothing
"""Contextual bandit: policy gradient with a learned baseline."""
from dataclasses import dataclass

import torch
import torch.nn as nn
from torch.distributions import Categorical


@dataclass
class Args:
    seed: int = 1
    num_envs: int = 64
    iterations: int = 250
    learning_rate: float = 5e-3
    ent_coef: float = 0.01
    vf_coef: float = 0.5
    max_grad_norm: float = 0.5


class Env:
    """Four context features, three arms; reward is a noisy linear function."""

    def __init__(self, num_envs, seed):
        self.gen = torch.Generator().manual_seed(seed)
        self.num_envs = num_envs
        self.theta = torch.tensor([[1., 0., -1., 0.], [0., 1., 0., -1.], [-1., -1., 1., 1.]])

    def observe(self):
        self.obs = torch.randn(self.num_envs, 4, generator=self.gen)
        return self.obs

    def step(self, action):
        mean = (self.obs * self.theta[action]).sum(dim=1)
        return mean + 0.3 * torch.randn(self.num_envs, generator=self.gen)


def layer_init(layer, std=2 ** 0.5):
    nn.init.orthogonal_(layer.weight, std)
    nn.init.zeros_(layer.bias)
    return layer


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.critic = nn.Sequential(layer_init(nn.Linear(4, 32)), nn.Tanh(), layer_init(nn.Linear(32, 1), 1.0))
        self.actor = nn.Sequential(layer_init(nn.Linear(4, 32)), nn.Tanh(), layer_init(nn.Linear(32, 3), 0.01))

    def forward(self, obs):
        return Categorical(logits=self.actor(obs)), self.critic(obs).squeeze(-1)


if __name__ == "__main__":
    args = Args()
    torch.manual_seed(args.seed)
    envs = Env(args.num_envs, args.seed)
    agent = Agent()
    optimizer = torch.optim.Adam(agent.parameters(), lr=args.learning_rate, eps=1e-5)
    returns = []
    for iteration in range(1, args.iterations + 1):
        obs = envs.observe()
        dist, value = agent(obs)
        action = dist.sample()
        reward = envs.step(action)
        adv = reward - value.detach()
        adv = (adv - adv.mean()) / (adv.std() + 1e-8)
        pg_loss = -(adv * dist.log_prob(action)).mean()
        v_loss = 0.5 * (value - reward).pow(2).mean()
        loss = pg_loss - args.ent_coef * dist.entropy().mean() + args.vf_coef * v_loss
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(agent.parameters(), args.max_grad_norm)
        optimizer.step()
        returns.append(reward.mean().item())
        if iteration % 50 == 0:
            print(f"iteration {iteration}: mean reward {sum(returns[-50:]) / 50:.3f}")
    test_envs = Env(2000, args.seed + 100)
    with torch.no_grad():
        obs = test_envs.observe()
        greedy = agent(obs)[0].probs.argmax(dim=1)
        best = (obs @ test_envs.theta.T).max(dim=1).values.mean()
        print(f"greedy reward {test_envs.step(greedy).mean().item():.3f}, best possible {best.item():.3f}")
