# expect: nothing
# PPO on a small vectorised grid walk (no gym needed), single file
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
from torch.distributions.categorical import Categorical


@dataclass
class Args:
    total_timesteps: int = 24576
    learning_rate: float = 2.5e-3
    num_envs: int = 16
    num_steps: int = 64
    gamma: float = 0.97
    clip_coef: float = 0.2
    ent_coef: float = 0.01


class VecGridWalk:
    """Reach the goal on a 5x5 board within 20 moves. +1 for the goal, -0.02 a move."""

    moves = np.array([[0, 1], [0, -1], [1, 0], [-1, 0]])

    def __init__(self, n, seed):
        self.n, self.rng = n, np.random.default_rng(seed)
        self.pos, self.goal = np.zeros((n, 2), int), np.zeros((n, 2), int)
        self.t, self.ret = np.zeros(n, int), np.zeros(n)

    def _reset(self, mask):
        self.pos[mask] = self.rng.integers(0, 5, (mask.sum(), 2))
        self.goal[mask] = (self.pos[mask] + self.rng.integers(1, 5, (mask.sum(), 2))) % 5
        self.t[mask], self.ret[mask] = 0, 0.0

    def obs(self):
        return np.concatenate([self.pos / 2 - 1, (self.goal - self.pos) / 2], axis=1).astype(np.float32)

    def reset(self):
        self._reset(np.ones(self.n, bool))
        return self.obs()

    def step(self, action):
        self.pos = np.clip(self.pos + self.moves[action], 0, 4)
        self.t += 1
        reached = (self.pos == self.goal).all(1)
        reward = np.where(reached, 1.0, -0.02)
        self.ret += reward
        done = reached | (self.t >= 20)
        finished = self.ret[done].tolist()
        self._reset(done)
        return self.obs(), reward.astype(np.float32), done.astype(np.float32), finished


def layer_init(layer, std=np.sqrt(2), bias_const=0.0):
    nn.init.orthogonal_(layer.weight, std)
    nn.init.constant_(layer.bias, bias_const)
    return layer


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.critic = nn.Sequential(layer_init(nn.Linear(4, 64)), nn.Tanh(), layer_init(nn.Linear(64, 1), std=1.0))
        self.actor = nn.Sequential(layer_init(nn.Linear(4, 64)), nn.Tanh(), layer_init(nn.Linear(64, 4), std=0.01))

    def get_action_and_value(self, x, action=None):
        probs = Categorical(logits=self.actor(x))
        action = probs.sample() if action is None else action
        return action, probs.log_prob(action), probs.entropy(), self.critic(x).flatten()


if __name__ == "__main__":
    args = Args()
    batch_size = args.num_envs * args.num_steps
    num_iterations = args.total_timesteps // batch_size
    torch.manual_seed(1)

    envs = VecGridWalk(args.num_envs, 1)
    agent = Agent()
    optimizer = torch.optim.Adam(agent.parameters(), lr=args.learning_rate, eps=1e-5)

    shape = (args.num_steps, args.num_envs)
    obs = torch.zeros(shape + (4,))
    actions = torch.zeros(shape, dtype=torch.long)
    logprobs, rewards, dones, values = (torch.zeros(shape) for _ in range(4))

    next_obs, next_done = torch.from_numpy(envs.reset()), torch.zeros(args.num_envs)
    for iteration in range(1, num_iterations + 1):
        optimizer.param_groups[0]["lr"] = (1.0 - (iteration - 1) / num_iterations) * args.learning_rate
        episode_returns = []
        for step in range(args.num_steps):
            obs[step], dones[step] = next_obs, next_done
            with torch.no_grad():
                action, logprob, _, value = agent.get_action_and_value(next_obs)
            actions[step], logprobs[step], values[step] = action, logprob, value
            o, r, d, finished = envs.step(action.numpy())
            episode_returns += finished
            rewards[step] = torch.from_numpy(r)
            next_obs, next_done = torch.from_numpy(o), torch.from_numpy(d)

        with torch.no_grad():
            next_value = agent.critic(next_obs).flatten()
            advantages, lastgaelam = torch.zeros_like(rewards), 0
            for t in reversed(range(args.num_steps)):
                last = t == args.num_steps - 1
                nonterminal = 1.0 - (next_done if last else dones[t + 1])
                nextvalues = next_value if last else values[t + 1]
                delta = rewards[t] + args.gamma * nextvalues * nonterminal - values[t]
                advantages[t] = lastgaelam = delta + args.gamma * 0.95 * nonterminal * lastgaelam
            returns = advantages + values

        b_obs, b_actions = obs.reshape(-1, 4), actions.reshape(-1)
        b_logprobs, b_adv, b_returns = logprobs.reshape(-1), advantages.reshape(-1), returns.reshape(-1)
        for epoch in range(4):
            for mb in torch.randperm(batch_size).chunk(4):
                _, newlogprob, entropy, newvalue = agent.get_action_and_value(b_obs[mb], b_actions[mb])
                ratio = (newlogprob - b_logprobs[mb]).exp()
                adv = (b_adv[mb] - b_adv[mb].mean()) / (b_adv[mb].std() + 1e-8)
                pg_loss = torch.max(-adv * ratio, -adv * ratio.clamp(1 - args.clip_coef, 1 + args.clip_coef)).mean()
                v_loss = 0.5 * ((newvalue - b_returns[mb]) ** 2).mean()
                loss = pg_loss - args.ent_coef * entropy.mean() + 0.5 * v_loss
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
                optimizer.step()

        if iteration % 4 == 0:
            print(f"global_step={iteration * batch_size}, episodic_return={np.mean(episode_returns):.3f}, "
                  f"value_loss={v_loss.item():.4f}, entropy={entropy.mean().item():.3f}")
