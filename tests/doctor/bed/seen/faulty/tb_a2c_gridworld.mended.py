# expect: nothing
"""Single-file A2C in the manner of CleanRL: 32 parallel grid walkers seek a goal; actor and critic are separate nets."""
from dataclasses import dataclass

import torch
import torch.nn as nn
from torch.distributions import Categorical


@dataclass
class Args:
    seed: int = 1
    num_envs: int = 32
    num_steps: int = 8
    num_updates: int = 150
    gamma: float = 0.95
    actor_lr: float = 5e-3
    critic_lr: float = 5e-3
    ent_coef: float = 0.01


class GridEnv:
    """Vectorised 5x5 grid; +1 for reaching the goal, -0.02 for every other step; both are placed anew afterwards."""
    moves = torch.tensor([[0, 1], [0, -1], [1, 0], [-1, 0]])

    def __init__(self, n, generator):
        self.n, self.g = n, generator
        self.me, self.goal = self._place(n), self._place(n)

    def _place(self, n):
        return torch.randint(0, 5, (n, 2), generator=self.g)

    def obs(self):
        return torch.cat([self.goal - self.me, self.me - 2], dim=1).float() / 2

    def step(self, action):
        self.me = (self.me + self.moves[action]).clamp(0, 4)
        done = (self.me == self.goal).all(1)
        fresh_me, fresh_goal = self._place(self.n), self._place(self.n)
        self.me = torch.where(done[:, None], fresh_me, self.me)
        self.goal = torch.where(done[:, None], fresh_goal, self.goal)
        return self.obs(), torch.where(done, 1.0, -0.02), done.float()


def layer_init(layer, std=2 ** 0.5):
    nn.init.orthogonal_(layer.weight, std)
    nn.init.zeros_(layer.bias)
    return layer


def make_net(n_out, std):
    return nn.Sequential(layer_init(nn.Linear(4, 32)), nn.Tanh(), layer_init(nn.Linear(32, 32)), nn.Tanh(),
                         layer_init(nn.Linear(32, n_out), std))


if __name__ == "__main__":
    args = Args()
    torch.manual_seed(args.seed)
    env = GridEnv(args.num_envs, torch.Generator().manual_seed(args.seed))
    actor, critic = make_net(4, 0.01), make_net(1, 1.0)
    actor_opt = torch.optim.Adam(actor.parameters(), lr=args.actor_lr)
    critic_opt = torch.optim.Adam(critic.parameters(), lr=args.critic_lr)
    obs = env.obs()
    for update in range(1, args.num_updates + 1):
        roll_obs, roll_act, roll_rew, roll_done = [], [], [], []
        for _ in range(args.num_steps):
            with torch.no_grad():
                action = Categorical(logits=actor(obs)).sample()
            roll_obs.append(obs)
            obs, reward, done = env.step(action)
            roll_act.append(action)
            roll_rew.append(reward)
            roll_done.append(done)
        with torch.no_grad():
            ret, returns = critic(obs).squeeze(1), []
            for reward, done in zip(reversed(roll_rew), reversed(roll_done)):
                ret = reward + args.gamma * ret * (1 - done)
                returns.insert(0, ret)
        b_obs, b_act, b_ret = torch.cat(roll_obs), torch.cat(roll_act), torch.cat(returns)

        value = critic(b_obs).squeeze(1)
        advantage = (b_ret - value).detach()
        dist = Categorical(logits=actor(b_obs))
        actor_loss = -(dist.log_prob(b_act) * advantage).mean() - args.ent_coef * dist.entropy().mean()
        actor_opt.zero_grad()
        actor_loss.backward()
        actor_opt.step()

        value_loss = nn.functional.mse_loss(value, b_ret)
        critic_opt.zero_grad()
        value_loss.backward()
        critic_opt.step()
        if update % 50 == 0:
            print(f"update {update}: value_loss={value_loss.item():.4f} reward/step={torch.cat(roll_rew).mean().item():.3f}")

    actor.eval()
    test_env = GridEnv(64, torch.Generator().manual_seed(args.seed + 1))
    obs, total = test_env.obs(), 0.0
    with torch.no_grad():
        for _ in range(40):
            obs, reward, _ = test_env.step(actor(obs).argmax(1))
            total += reward.mean().item()
    print(f"greedy policy: reward per step {total / 40:.3f}")
