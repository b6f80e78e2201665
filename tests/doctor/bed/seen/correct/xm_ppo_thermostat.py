# expect: nothing
# PPO in one file for a small thermostat environment (vectorised, numpy)
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
from torch.distributions.categorical import Categorical


@dataclass
class Args:
    seed: int = 1
    num_envs: int = 16
    num_steps: int = 32
    num_iterations: int = 40
    learning_rate: float = 2.5e-3
    gamma: float = 0.95
    gae_lambda: float = 0.95
    num_minibatches: int = 4
    update_epochs: int = 3
    clip_coef: float = 0.2
    ent_coef: float = 0.01
    vf_coef: float = 0.5


class Thermostat:
    """Keep the room near 20 degrees: action 0 cools, 1 waits, 2 heats. Episodes of 40 steps."""

    def __init__(self, n, seed):
        self.n, self.rng = n, np.random.default_rng(seed)
        self.room, self.outside = np.zeros(n), np.zeros(n)
        self.clock = np.zeros(n, dtype=int)

    def _restart(self, who):
        k = int(who.sum())
        self.room[who] = self.rng.uniform(12, 28, k)
        self.outside[who] = self.rng.uniform(0, 35, k)
        self.clock[who] = 0

    def _obs(self):
        return np.stack([(self.room - 20) / 5, (self.outside - 18) / 10, self.clock / 20 - 1], 1).astype(np.float32)

    def reset(self):
        self._restart(np.ones(self.n, dtype=bool))
        return self._obs()

    def step(self, action):
        self.room += (action - 1) * 1.5 + 0.05 * (self.outside - self.room) + self.rng.normal(0, 0.1, self.n)
        self.clock += 1
        reward = -np.abs(self.room - 20) / 5
        done = self.clock >= 40
        self._restart(done)
        return self._obs(), reward.astype(np.float32), done.astype(np.float32)


def layer_init(layer, std=np.sqrt(2), bias_const=0.0):
    torch.nn.init.orthogonal_(layer.weight, std)
    torch.nn.init.constant_(layer.bias, bias_const)
    return layer


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.critic = nn.Sequential(layer_init(nn.Linear(3, 32)), nn.Tanh(), layer_init(nn.Linear(32, 1), std=1.0))
        self.actor = nn.Sequential(layer_init(nn.Linear(3, 32)), nn.Tanh(), layer_init(nn.Linear(32, 3), std=0.01))

    def get_value(self, x):
        return self.critic(x).squeeze(-1)

    def get_action_and_value(self, x, action=None):
        probs = Categorical(logits=self.actor(x))
        action = probs.sample() if action is None else action
        return action, probs.log_prob(action), probs.entropy(), self.get_value(x)


args = Args()
torch.manual_seed(args.seed)
envs = Thermostat(args.num_envs, args.seed)
agent = Agent()
optimizer = torch.optim.Adam(agent.parameters(), lr=args.learning_rate, eps=1e-5)
shape = (args.num_steps, args.num_envs)
obs, actions = torch.zeros(shape + (3,)), torch.zeros(shape, dtype=torch.long)
logprobs, rewards, dones, values = (torch.zeros(shape) for _ in range(4))
next_obs, next_done = torch.from_numpy(envs.reset()), torch.zeros(args.num_envs)

for iteration in range(1, args.num_iterations + 1):
    frac = 1.0 - (iteration - 1.0) / args.num_iterations
    optimizer.param_groups[0]["lr"] = frac * args.learning_rate

    for step in range(args.num_steps):
        obs[step], dones[step] = next_obs, next_done
        with torch.no_grad():
            action, logprob, _, value = agent.get_action_and_value(next_obs)
        values[step], actions[step], logprobs[step] = value, action, logprob
        o, r, d = envs.step(action.numpy())
        rewards[step] = torch.from_numpy(r)
        next_obs, next_done = torch.from_numpy(o), torch.from_numpy(d)

    with torch.no_grad():
        next_value = agent.get_value(next_obs)
        advantages = torch.zeros(shape)
        lastgaelam = torch.zeros(args.num_envs)
        for t in reversed(range(args.num_steps)):
            last = t == args.num_steps - 1
            nonterminal = 1.0 - (next_done if last else dones[t + 1])
            nextvalues = next_value if last else values[t + 1]
            delta = rewards[t] + args.gamma * nextvalues * nonterminal - values[t]
            lastgaelam = delta + args.gamma * args.gae_lambda * nonterminal * lastgaelam
            advantages[t] = lastgaelam
        returns = advantages + values

    b_obs, b_actions, b_logprobs = obs.reshape(-1, 3), actions.reshape(-1), logprobs.reshape(-1)
    b_adv, b_returns = advantages.reshape(-1), returns.reshape(-1)
    for epoch in range(args.update_epochs):
        for mb in torch.randperm(len(b_obs)).chunk(args.num_minibatches):
            _, newlogprob, entropy, newvalue = agent.get_action_and_value(b_obs[mb], b_actions[mb])
            ratio = (newlogprob - b_logprobs[mb]).exp()
            adv = (b_adv[mb] - b_adv[mb].mean()) / (b_adv[mb].std() + 1e-8)
            pg_loss = torch.max(-adv * ratio, -adv * ratio.clamp(1 - args.clip_coef, 1 + args.clip_coef)).mean()
            v_loss = 0.5 * ((newvalue - b_returns[mb]) ** 2).mean()
            loss = pg_loss - args.ent_coef * entropy.mean() + args.vf_coef * v_loss
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optimizer.step()

    if iteration % 8 == 0:
        print(f"iteration {iteration:3d}  reward/step {rewards.mean().item():+.3f}  v_loss {v_loss.item():.4f}")
