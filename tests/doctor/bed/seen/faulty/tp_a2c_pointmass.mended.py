# expect: nothing
"""Batched advantage actor-critic on a small point-mass task (re-implementation for our reading group)."""
import numpy as np
import torch
import torch.nn as nn
from torch.distributions import Categorical


class PointMass:
    """Keep a mass near the origin with left / coast / right thrusts; n copies run side by side."""

    def __init__(self, n, seed):
        self.n, self.rng = n, np.random.default_rng(seed)

    def reset(self):
        self.pos = self.rng.uniform(-1, 1, self.n)
        self.vel = self.rng.uniform(-0.3, 0.3, self.n)
        return self.obs()

    def obs(self):
        return torch.tensor(np.stack([self.pos, self.vel], 1), dtype=torch.float32)

    def step(self, action):
        thrust = (action.numpy() - 1) * 0.1
        self.vel = np.clip(0.95 * self.vel + thrust, -1, 1)
        self.pos = np.clip(self.pos + 0.3 * self.vel, -2, 2)
        reward = 1.0 - np.abs(self.pos) - 0.1 * np.abs(self.vel)
        return self.obs(), torch.tensor(reward, dtype=torch.float32)


class Agent(nn.Module):
    def __init__(self, obs_dim=2, n_actions=3, hidden=32):
        super().__init__()
        self.actor = nn.Sequential(nn.Linear(obs_dim, hidden), nn.Tanh(), nn.Linear(hidden, n_actions))
        self.critic = nn.Sequential(nn.Linear(obs_dim, hidden), nn.Tanh(), nn.Linear(hidden, 1))

    def policy(self, obs):
        return Categorical(logits=self.actor(obs))

    def value(self, obs):
        return self.critic(obs).squeeze(-1)


def rollout(env, agent, horizon):
    obs, buf = env.reset(), []
    for _ in range(horizon):
        with torch.no_grad():
            action = agent.policy(obs).sample()
        nxt, reward = env.step(action)
        buf.append((obs, action, reward))
        obs = nxt
    o, a, r = (torch.stack(z) for z in zip(*buf))
    return o, a, r, obs


def discounted(rewards, bootstrap, gamma):
    out, acc = [], bootstrap
    for r in reversed(rewards):
        acc = r + gamma * acc
        out.append(acc)
    return torch.stack(out[::-1])


@torch.no_grad()
def greedy_return(agent, seed, horizon=40):
    env, total = PointMass(64, seed), 0.0
    obs = env.reset()
    for _ in range(horizon):
        obs, r = env.step(agent.policy(obs).probs.argmax(1))
        total += r.mean().item()
    return total / horizon


def main(updates=150, gamma=0.9, entropy_coef=0.01):
    torch.manual_seed(3)
    env, agent = PointMass(32, seed=0), Agent()
    actor_opt = torch.optim.Adam(agent.actor.parameters(), lr=5e-3)
    critic_opt = torch.optim.Adam(agent.critic.parameters(), lr=1e-2)
    print(f"before: mean reward {greedy_return(agent, seed=99):.3f}")
    for it in range(1, updates + 1):
        obs, act, rew, last = rollout(env, agent, horizon=20)
        with torch.no_grad():
            ret = discounted(rew, agent.value(last), gamma)
        value = agent.value(obs)
        critic_loss = nn.functional.mse_loss(value, ret)
        agent.zero_grad()
        critic_loss.backward()

        adv = (ret - value).detach()
        dist = agent.policy(obs)
        actor_loss = -(dist.log_prob(act) * adv).mean() - entropy_coef * dist.entropy().mean()
        actor_loss.backward()

        actor_opt.step()
        critic_opt.step()
        if it % 50 == 0:
            print(f"update {it:4d}  critic loss {critic_loss.item():.3f}  reward {rew.mean().item():.3f}")
    print(f"after: mean reward {greedy_return(agent, seed=99):.3f}")


if __name__ == "__main__":
    main()
