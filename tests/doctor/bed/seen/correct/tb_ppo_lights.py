# expect: nothing
"""PPO, CleanRL-like: a shared agent, GAE, clipped ratios, annealed learning rate; a made-up vector environment."""
from dataclasses import dataclass

import torch
import torch.nn as nn
from torch.distributions.categorical import Categorical


@dataclass
class Args:
    seed: int = 1
    num_envs: int = 32
    num_steps: int = 16
    num_iterations: int = 36
    learning_rate: float = 4e-3
    gamma: float = 0.8
    gae_lambda: float = 0.9
    update_epochs: int = 3
    minibatch_size: int = 128
    clip_coef: float = 0.2
    ent_coef: float = 0.01
    vf_coef: float = 0.5
    max_grad_norm: float = 0.5


class Lights:
    """Match the signal: the state is a noisy one-hot of a colour; its cyclic successor is the right button."""

    def __init__(self, n, seed):
        self.n, self.g = n, torch.Generator().manual_seed(seed)
        self.colour = torch.randint(5, (n,), generator=self.g)

    def obs(self):
        clean = nn.functional.one_hot(self.colour, 5).float()
        return clean + 0.15 * torch.randn(self.n, 5, generator=self.g)

    def step(self, action):
        right = action == (self.colour + 1) % 5
        fresh = torch.randint(5, (self.n,), generator=self.g)
        done = torch.rand(self.n, generator=self.g) < 0.05
        self.colour = torch.where(right | done, fresh, self.colour)
        return self.obs(), right.float() - 0.1, done.float()


def layer_init(layer, std=2 ** 0.5, bias_const=0.0):
    torch.nn.init.orthogonal_(layer.weight, std)
    torch.nn.init.constant_(layer.bias, bias_const)
    return layer


class Agent(nn.Module):
    def __init__(self):
        super().__init__()
        self.critic = nn.Sequential(layer_init(nn.Linear(5, 32)), nn.Tanh(), layer_init(nn.Linear(32, 1), std=1.0))
        self.actor = nn.Sequential(layer_init(nn.Linear(5, 32)), nn.Tanh(), layer_init(nn.Linear(32, 5), std=0.01))

    def get_value(self, x):
        return self.critic(x).flatten()

    def get_action_and_value(self, x, action=None):
        probs = Categorical(logits=self.actor(x))
        action = probs.sample() if action is None else action
        return action, probs.log_prob(action), probs.entropy(), self.get_value(x)


args = Args()
torch.manual_seed(args.seed)
envs, agent = Lights(args.num_envs, args.seed), Agent()
optimizer = torch.optim.Adam(agent.parameters(), lr=args.learning_rate, eps=1e-5)
shape = (args.num_steps, args.num_envs)
obs, actions = torch.zeros(*shape, 5), torch.zeros(shape, dtype=torch.long)
logprobs, rewards, dones, values = (torch.zeros(shape) for _ in range(4))
next_obs, next_done = envs.obs(), torch.zeros(args.num_envs)

for iteration in range(1, args.num_iterations + 1):
    optimizer.param_groups[0]["lr"] = (1.0 - (iteration - 1.0) / args.num_iterations) * args.learning_rate
    for step in range(args.num_steps):
        obs[step], dones[step] = next_obs, next_done
        with torch.no_grad():
            actions[step], logprobs[step], _, values[step] = agent.get_action_and_value(next_obs)
        next_obs, rewards[step], next_done = envs.step(actions[step])

    with torch.no_grad():
        advantages, lastgaelam = torch.zeros(shape), torch.zeros(args.num_envs)
        for t in reversed(range(args.num_steps)):
            last = t == args.num_steps - 1
            alive = 1.0 - (next_done if last else dones[t + 1])
            nextvalues = agent.get_value(next_obs) if last else values[t + 1]
            delta = rewards[t] + args.gamma * nextvalues * alive - values[t]
            advantages[t] = lastgaelam = delta + args.gamma * args.gae_lambda * alive * lastgaelam
        returns = advantages + values

    b_obs, b_actions, b_logprobs = obs.flatten(0, 1), actions.flatten(), logprobs.flatten()
    b_advantages, b_returns = advantages.flatten(), returns.flatten()
    for _ in range(args.update_epochs):
        for mb in torch.randperm(len(b_obs)).split(args.minibatch_size):
            _, newlogprob, entropy, newvalue = agent.get_action_and_value(b_obs[mb], b_actions[mb])
            ratio = (newlogprob - b_logprobs[mb]).exp()
            adv = (b_advantages[mb] - b_advantages[mb].mean()) / (b_advantages[mb].std() + 1e-8)
            pg_loss = torch.max(-adv * ratio, -adv * ratio.clamp(1 - args.clip_coef, 1 + args.clip_coef)).mean()
            v_loss = 0.5 * ((newvalue - b_returns[mb]) ** 2).mean()
            loss = pg_loss - args.ent_coef * entropy.mean() + args.vf_coef * v_loss
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(agent.parameters(), args.max_grad_norm)
            optimizer.step()
    if iteration % 12 == 0:
        print(f"iteration {iteration}: reward per step {rewards.mean().item():.3f}, value loss {v_loss.item():.4f}")

agent.eval()
test_envs, total = Lights(100, seed=1001), 0.0
state = test_envs.obs()
with torch.no_grad():
    for _ in range(20):
        state, reward, _ = test_envs.step(agent.actor(state).argmax(1))
        total += reward.mean().item()
print(f"greedy reward per step {total / 20:.3f} (best possible 0.900)")
