# expect: nothing
"""REINFORCE with a learned value baseline on a corridor with two doors; the sign shown first tells which one pays."""
import numpy as np
import torch
import torch.nn as nn
from torch.distributions import Categorical


class SignCorridor:
    """Four cells up to the doors. The sign is only seen in the first cell, so the agent has to remember it."""

    def __init__(self, n, rng, length=4):
        self.n, self.length, self.rng = n, length, rng

    def reset(self):
        self.sign = self.rng.integers(0, 2, self.n)
        self.cell = 0
        return self._observe()

    def _observe(self):
        obs = np.zeros((self.n, 4), dtype=np.float32)
        if self.cell == 0:
            obs[np.arange(self.n), self.sign] = 1.0
        obs[:, 2] = float(self.cell == self.length - 1)
        obs[:, 3] = self.cell / self.length
        return torch.from_numpy(obs)

    def step(self, action):
        at_doors = self.cell == self.length - 1
        reward = np.where(action.numpy() == self.sign, 1.0, -1.0) if at_doors else np.zeros(self.n)
        self.cell += 1
        return self._observe(), torch.from_numpy(reward.astype(np.float32)), at_doors


class ActorCritic(nn.Module):
    def __init__(self, hidden=24):
        super().__init__()
        self.core = nn.GRUCell(4, hidden)
        self.policy = nn.Linear(hidden, 2)
        self.value = nn.Linear(hidden, 1)

    def forward(self, obs, state):
        state = self.core(obs, state)
        return Categorical(logits=self.policy(state)), self.value(state).squeeze(-1), state


def rollout(env, agent, greedy=False):
    obs, state, done = env.reset(), None, False
    log_probs, values, rewards, entropies = [], [], [], []
    while not done:
        dist, value, state = agent(obs, state)
        action = dist.probs.argmax(dim=-1) if greedy else dist.sample()
        obs, reward, done = env.step(action)
        log_probs.append(dist.log_prob(action))
        entropies.append(dist.entropy())
        values.append(value)
        rewards.append(reward)
    return tuple(torch.stack(part) for part in (log_probs, values, rewards, entropies))


def discounted(rewards, gamma):
    out, running = torch.zeros_like(rewards), torch.zeros(rewards.shape[1])
    for t in reversed(range(len(rewards))):
        running = rewards[t] + gamma * running
        out[t] = running
    return out


def update(agent, optimizer, batch, gamma=0.97, value_weight=0.5, entropy_weight=0.01):
    log_probs, values, rewards, entropies = batch
    returns = discounted(rewards, gamma)
    advantage = returns - values.detach()
    actor = -(log_probs * advantage).mean()
    critic = (values - returns).pow(2).mean()
    loss = actor + value_weight * critic - entropy_weight * entropies.mean()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(agent.parameters(), 1.0)
    optimizer.step()
    return critic.item()


if __name__ == "__main__":
    torch.manual_seed(12)
    env = SignCorridor(64, np.random.default_rng(12))
    agent = ActorCritic()
    optimizer = torch.optim.Adam(agent.parameters(), lr=1e-2)
    recent = None
    for episode in range(160):
        batch = rollout(env, agent)
        score = batch[2].sum(dim=0).mean().item()
        recent = score if recent is None else 0.9 * recent + 0.1 * score
        critic = update(agent, optimizer, batch)
        if (episode + 1) % 40 == 0:
            print(f"episode {episode + 1}  smoothed return {recent:.3f}  critic {critic:.4f}")
    with torch.no_grad():
        final = rollout(SignCorridor(500, np.random.default_rng(77)), agent, greedy=True)[2].sum(dim=0)
    print(f"greedy return on 500 fresh walks {final.mean().item():.3f}")
