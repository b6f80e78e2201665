# expect: nothing
# Recurrent PPO in one file on a small memory task: a cue is shown at the start and asked for at the end.
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
    total_updates: int = 60
    num_envs: int = 32
    num_steps: int = 6
    learning_rate: float = 5e-3
    anneal_lr: bool = True
    gamma: float = 0.99
    gae_lambda: float = 0.95
    num_minibatches: int = 2
    update_epochs: int = 3
    clip_coef: float = 0.2
    ent_coef: float = 0.01
    vf_coef: float = 0.5
    max_grad_norm: float = 0.5


class CueEnv:
    """vectorised; each episode lasts num_steps, the cue (1 of 3) is seen in the first step only"""

    def __init__(self, n, length, rng):
        self.n, self.length, self.rng = n, length, rng

    def reset(self):
        self.t, self.cue = 0, self.rng.integers(0, 3, self.n)
        return self._obs()

    def _obs(self):
        obs = np.zeros((self.n, 4), dtype=np.float32)
        if self.t == 0:
            obs[np.arange(self.n), self.cue] = 1.0
        obs[:, 3] = float(self.t == self.length - 1)
        return torch.from_numpy(obs)

    def step(self, action):
        last = self.t == self.length - 1
        reward = (action.numpy() == self.cue).astype(np.float32) if last else np.zeros(self.n, dtype=np.float32)
        self.t += 1
        return (self.reset() if last else self._obs()), torch.from_numpy(reward)


def layer_init(layer, std=np.sqrt(2), bias_const=0.0):
    nn.init.orthogonal_(layer.weight, std)
    nn.init.constant_(layer.bias, bias_const)
    return layer


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(4, 32)
        self.actor = layer_init(nn.Linear(32, 3), std=0.01)
        self.critic = layer_init(nn.Linear(32, 1), std=1.0)

    def forward(self, x, h=None):
        out, h = self.gru(x, h)
        return Categorical(logits=self.actor(out)), self.critic(out).squeeze(-1), h


args = Args()
random.seed(args.seed)
np.random.seed(args.seed)
torch.manual_seed(args.seed)
envs = CueEnv(args.num_envs, args.num_steps, np.random.default_rng(args.seed))
agent = Agent()
optimizer = optim.Adam(agent.parameters(), lr=args.learning_rate, eps=1e-5)
T, N = args.num_steps, args.num_envs

for update in range(1, args.total_updates + 1):
    if args.anneal_lr:
        optimizer.param_groups[0]["lr"] = (1.0 - (update - 1.0) / args.total_updates) * args.learning_rate
    obs, actions = torch.zeros(T, N, 4), torch.zeros(T, N, dtype=torch.long)
    logprobs, rewards, values = torch.zeros(T, N), torch.zeros(T, N), torch.zeros(T, N)
    next_obs, h = envs.reset(), None
    for step in range(T):
        obs[step] = next_obs
        with torch.no_grad():
            dist, value, h = agent(next_obs.unsqueeze(0), h)
            action = dist.sample()[0]
            logprobs[step], values[step], actions[step] = dist.log_prob(action)[0], value[0], action
        next_obs, rewards[step] = envs.step(action)

    # every rollout is one whole episode, so nothing is bootstrapped after its end
    with torch.no_grad():
        advantages, lastgaelam = torch.zeros(T, N), torch.zeros(N)
        for t in reversed(range(T)):
            nextvalues = values[t + 1] if t < T - 1 else torch.zeros(N)
            delta = rewards[t] + args.gamma * nextvalues - values[t]
            advantages[t] = lastgaelam = delta + args.gamma * args.gae_lambda * lastgaelam
        returns = advantages + values

    envinds = np.arange(N)
    for epoch in range(args.update_epochs):
        np.random.shuffle(envinds)
        for mb in np.array_split(envinds, args.num_minibatches):
            dist, newvalue, _ = agent(obs[:, mb])
            logratio = dist.log_prob(actions[:, mb]) - logprobs[:, mb]
            ratio = logratio.exp()
            adv = advantages[:, mb]
            adv = (adv - adv.mean()) / (adv.std() + 1e-8)
            pg_loss = torch.max(-adv * ratio, -adv * ratio.clamp(1 - args.clip_coef, 1 + args.clip_coef)).mean()
            v_loss = 0.5 * ((newvalue - returns[:, mb]) ** 2).mean()
            loss = pg_loss - args.ent_coef * dist.entropy().mean() + args.vf_coef * v_loss
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), args.max_grad_norm)
            optimizer.step()
    if update % 10 == 0:
        print(f"update {update:3d}  episodic return {rewards.sum(0).mean().item():.3f}  value loss {v_loss.item():.4f}")
