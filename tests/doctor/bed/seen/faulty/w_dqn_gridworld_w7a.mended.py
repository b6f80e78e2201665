# expect: nothing
"""Double DQN on a small windy grid: sixteen walkers in parallel, replay memory, slow target network."""
import copy
from collections import namedtuple

import numpy as np
import torch
from torch import nn

Batch = namedtuple("Batch", "obs action reward next_obs done")
MOVES = np.array([[0, 1], [0, -1], [1, 0], [-1, 0]])


class WindyGrid:
    """Walk to the goal corner; every step costs a little and now and then the wind blows one cell down."""

    def __init__(self, n_envs, size=6, horizon=30, seed=0):
        self.n, self.size, self.horizon = n_envs, size, horizon
        self.rng = np.random.default_rng(seed)
        self.goal = np.array([size - 1, size - 1])
        self.pos = self.rng.integers(0, size - 1, (n_envs, 2))
        self.age = np.zeros(n_envs, dtype=int)

    def observe(self, pos):
        return (2.0 * pos / (self.size - 1) - 1.0).astype(np.float32)

    def step(self, action):
        wind = (self.rng.random(self.n) < 0.1)[:, None] * np.array([0, -1])
        nxt = np.clip(self.pos + MOVES[action] + wind, 0, self.size - 1)
        done = (nxt == self.goal).all(axis=1)
        reward = np.where(done, 1.0, -0.05).astype(np.float32)
        before, after = self.observe(self.pos), self.observe(nxt)
        self.age += 1
        reset = done | (self.age >= self.horizon)
        self.pos = np.where(reset[:, None], self.rng.integers(0, self.size - 1, (self.n, 2)), nxt)
        self.age[reset] = 0
        return before, reward, after, done.astype(np.float32)


class Replay:
    def __init__(self, capacity, rng):
        self.store, self.capacity, self.rng = [], capacity, rng

    def push(self, *columns):
        self.store.extend(zip(*columns))
        self.store = self.store[-self.capacity:]

    def draw(self, k):
        rows = [self.store[i] for i in self.rng.integers(0, len(self.store), k)]
        obs, act, rew, nxt, done = map(np.stack, zip(*rows))
        return Batch(*map(torch.from_numpy, (obs, act, rew, nxt, done)))


class Agent:
    def __init__(self, gamma=0.95, lr=1e-3):
        self.q = nn.Sequential(nn.Linear(2, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 4))
        self.target = copy.deepcopy(self.q).requires_grad_(False)
        self.opt = torch.optim.Adam(self.q.parameters(), lr=lr)
        self.gamma = gamma

    @torch.no_grad()
    def act(self, obs, eps, rng):
        greedy = self.q(torch.from_numpy(obs)).argmax(dim=1).numpy()
        return np.where(rng.random(len(obs)) < eps, rng.integers(0, 4, len(obs)), greedy)

    def td_error(self, b):
        value = self.q(b.obs).gather(1, b.action[:, None]).squeeze(1)
        with torch.no_grad():
            best = self.q(b.next_obs).argmax(dim=1, keepdim=True)
            future = self.target(b.next_obs).gather(1, best).squeeze(1)
            goal = b.reward + self.gamma * (1.0 - b.done) * future
        return value - goal

    def learn(self, b, tau=0.02):
        delta = self.td_error(b)
        loss = torch.where(delta.abs() < 1, 0.5 * delta ** 2, delta.abs() - 0.5).mean()
        self.opt.zero_grad()
        loss.backward()
        self.opt.step()
        with torch.no_grad():
            for slow, fast in zip(self.target.parameters(), self.q.parameters()):
                slow.lerp_(fast, tau)
        return loss.item()


def evaluate(agent, rng, steps=200):
    env = WindyGrid(32, seed=99)
    reward, arrivals = 0.0, 0.0
    for _ in range(steps):
        _, r, _, d = env.step(agent.act(env.observe(env.pos), 0.0, rng))
        reward, arrivals = reward + r.mean(), arrivals + d.sum()
    return reward / steps, arrivals / (32 * steps)


if __name__ == "__main__":
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    env, memory, agent = WindyGrid(16, seed=1), Replay(6000, rng), Agent()
    for it in range(700):
        eps = max(0.1, 1.0 - it / 350)
        action = agent.act(env.observe(env.pos), eps, rng)
        obs, reward, nxt, done = env.step(action)
        memory.push(obs, action, reward, nxt, done)
        if it >= 30:
            loss = agent.learn(memory.draw(96))
            if (it + 1) % 175 == 0:
                print(f"step {it + 1}  td loss {loss:.4f}")
    mean_reward, rate = evaluate(agent, rng)
    print(f"greedy reward per step {mean_reward:.4f}  arrivals per walker and step {rate:.4f}")
