# expect: nothing
# Recurrent PPO in one file on a vectorised T-maze: the cue is shown once, the turn comes at the end.
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
from torch.distributions.categorical import Categorical


@dataclass
class Args:
    seed: int = 1
    num_envs: int = 32
    num_steps: int = 8
    iterations: int = 60
    learning_rate: float = 5e-3
    gamma: float = 0.97
    gae_lambda: float = 0.95
    num_minibatches: int = 2
    update_epochs: int = 3
    clip_coef: float = 0.2
    ent_coef: float = 0.01
    vf_coef: float = 0.5
    max_grad_norm: float = 0.5


class TMaze:
    """obs: [cue shown as +1/-1 at the first step, corridor flag, junction flag]; actions: 0 left, 1 right, 2 ahead"""

    def __init__(self, n, length, rng):
        self.n, self.length, self.rng = n, length, rng

    def reset(self):
        self.t = 0
        self.cue = self.rng.choice([-1, 1], size=self.n)
        return self._obs()

    def _obs(self):
        o = np.zeros((self.n, 3), dtype=np.float32)
        o[:, 0] = self.cue if self.t == 0 else 0
        o[:, 1] = self.t < self.length - 1
        o[:, 2] = self.t == self.length - 1
        return torch.tensor(o)

    def step(self, action):
        if self.t < self.length - 1:
            reward = np.where(action == 2, 0.0, -0.1)
        else:
            reward = np.where(action == (self.cue + 1) // 2, 1.0, -0.1)
        self.t += 1
        return self._obs(), torch.tensor(reward, dtype=torch.float32)


def layer_init(layer, std=np.sqrt(2), bias_const=0.0):
    nn.init.orthogonal_(layer.weight, std)
    nn.init.constant_(layer.bias, bias_const)
    return layer


class Agent(nn.Module):
    def __init__(self, h=24):
        super().__init__()
        self.network = nn.Sequential(layer_init(nn.Linear(3, h)), nn.Tanh())
        self.gru = nn.GRU(h, h)
        self.actor = layer_init(nn.Linear(h, 3), std=0.01)
        self.critic = layer_init(nn.Linear(h, 1), std=1.0)

    def forward(self, obs, state=None):
        out, state = self.gru(self.network(obs), state)
        return Categorical(logits=self.actor(out)), self.critic(out).squeeze(-1), state


args = Args()
torch.manual_seed(args.seed)
envs = TMaze(args.num_envs, args.num_steps, np.random.default_rng(args.seed))
agent = Agent()
optimizer = torch.optim.Adam(agent.parameters(), lr=args.learning_rate, eps=1e-5)

for iteration in range(1, args.iterations + 1):
    frac = 1.0 - (iteration - 1.0) / args.iterations
    optimizer.param_groups[0]["lr"] = frac * args.learning_rate

    # one whole episode in every environment, so the hidden state starts at zero
    obs, actions, logprobs, rewards, values = [], [], [], [], []
    next_obs, state = envs.reset(), None
    for step in range(args.num_steps):
        obs.append(next_obs)
        with torch.no_grad():
            dist, value, state = agent(next_obs.unsqueeze(0), state)
            action = dist.sample()
        actions.append(action[0])
        logprobs.append(dist.log_prob(action)[0])
        values.append(value[0])
        next_obs, reward = envs.step(action[0].numpy())
        rewards.append(reward)
    obs, actions, logprobs, rewards, values = map(torch.stack, (obs, actions, logprobs, rewards, values))

    advantages = torch.zeros_like(rewards)
    lastgaelam = torch.zeros(args.num_envs)
    for t in reversed(range(args.num_steps)):
        nextvalue = values[t + 1] if t + 1 < args.num_steps else torch.zeros(args.num_envs)
        delta = rewards[t] + args.gamma * nextvalue - values[t]
        lastgaelam = delta + args.gamma * args.gae_lambda * lastgaelam
        advantages[t] = lastgaelam
    returns = advantages + values

    for epoch in range(args.update_epochs):
        for envinds in torch.randperm(args.num_envs).chunk(args.num_minibatches):
            dist, newvalue, _ = agent(obs[:, envinds])
            ratio = (dist.log_prob(actions[:, envinds]) - logprobs[:, envinds]).exp()
            adv = advantages[:, envinds]
            adv = (adv - adv.mean()) / (adv.std() + 1e-8)
            pg_loss = torch.max(-adv * ratio, -adv * torch.clamp(ratio, 1 - args.clip_coef, 1 + args.clip_coef)).mean()
            v_loss = 0.5 * ((newvalue - returns[:, envinds]) ** 2).mean()
            loss = pg_loss - args.ent_coef * dist.entropy().mean() + args.vf_coef * v_loss
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), args.max_grad_norm)
            optimizer.step()
    if iteration % 10 == 0:
        print(f"iteration={iteration}, episodic_return={rewards.sum(0).mean().item():.3f}, value_loss={v_loss.item():.4f}")
