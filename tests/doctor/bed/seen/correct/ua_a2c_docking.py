# expect: nothing
"""Advantage actor-critic on a 1-D docking task; policy and value are raw-tensor nets.

64 carts in parallel: state (position, velocity), action in {push left, coast, push
right}. Reward falls with the distance from the dock and with thrust."""
import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F


@dataclass
class Hyper:
    envs: int = 64
    horizon: int = 30
    updates: int = 80
    gamma: float = 0.95
    lam: float = 0.9
    lr_actor: float = 5e-3
    lr_critic: float = 1e-2
    entropy: float = 0.01
    seed: int = 12


class Carts:
    thrust = torch.tensor([-1.0, 0.0, 1.0])

    def __init__(self, n, gen):
        self.n, self.gen = n, gen

    def reset(self):
        self.pos = 2 * torch.rand(self.n, generator=self.gen) - 1
        self.vel = 0.5 * torch.randn(self.n, generator=self.gen)
        return self.observe()

    def observe(self):
        return torch.stack([self.pos, self.vel], dim=1)      # both of order one

    def step(self, action):
        a = self.thrust[action]
        self.vel = (0.95 * self.vel + 0.3 * a).clamp(-2, 2)
        self.pos = (self.pos + 0.2 * self.vel).clamp(-2, 2)
        reward = -self.pos.abs() - 0.1 * self.vel.abs() - 0.02 * a.abs()
        return self.observe(), reward


def dense(gen, *sizes, last=1.0):
    out = []
    for k, (a, b) in enumerate(zip(sizes, sizes[1:])):
        gain = last if k == len(sizes) - 2 else 1.0
        out += [torch.randn(a, b, generator=gen) * gain / math.sqrt(a), torch.zeros(b)]
    return [t.requires_grad_() for t in out]


def run(net, x):
    W1, b1, W2, b2 = net
    return torch.tanh(x @ W1 + b1) @ W2 + b2


def rollout(env, actor, hp, gen):
    """Play without a graph; the log-probabilities are recomputed in the update."""
    obs, acts, rews = [], [], []
    with torch.no_grad():
        s = env.reset()
        for _ in range(hp.horizon):
            probs = F.softmax(run(actor, s), dim=1)
            a = torch.multinomial(probs, 1, generator=gen).squeeze(1)
            obs.append(s)
            acts.append(a)
            s, r = env.step(a)
            rews.append(r)
    return torch.stack(obs), torch.stack(acts), torch.stack(rews), s


def gae(rewards, values, bootstrap, hp):
    adv, running = torch.zeros_like(rewards), torch.zeros_like(bootstrap)
    following = bootstrap
    for t in reversed(range(len(rewards))):
        delta = rewards[t] + hp.gamma * following - values[t]
        running = delta + hp.gamma * hp.lam * running
        adv[t], following = running, values[t]
    return adv


@torch.no_grad()
def greedy_return(env, actor, hp):
    s, total = env.reset(), 0.0
    for _ in range(hp.horizon):
        s, r = env.step(run(actor, s).argmax(dim=1))
        total += r.mean().item()
    return total


def main(hp=Hyper()):
    gen = torch.Generator().manual_seed(hp.seed)
    env, judge = Carts(hp.envs, gen), Carts(256, torch.Generator().manual_seed(hp.seed + 1))
    actor, critic = dense(gen, 2, 32, 3, last=0.1), dense(gen, 2, 32, 1)
    opt_a = torch.optim.Adam(actor, lr=hp.lr_actor)
    opt_c = torch.optim.Adam(critic, lr=hp.lr_critic)
    print(f"untrained: greedy return {greedy_return(judge, actor, hp):.2f}")

    for u in range(1, hp.updates + 1):
        s, a, r, s_end = rollout(env, actor, hp, gen)
        with torch.no_grad():
            values = run(critic, s).squeeze(-1)
            advantage = gae(r, values, run(critic, s_end).squeeze(-1), hp)
            target = advantage + values
            advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)

        logp = F.log_softmax(run(actor, s), dim=-1)
        chosen = logp.gather(-1, a.unsqueeze(-1)).squeeze(-1)
        entropy = -(logp.exp() * logp).sum(-1).mean()
        loss_a = -(chosen * advantage).mean() - hp.entropy * entropy
        loss_c = F.mse_loss(run(critic, s).squeeze(-1), target)

        opt_a.zero_grad()
        opt_c.zero_grad()
        (loss_a + loss_c).backward()          # disjoint parameters: one backward, two steps
        opt_a.step()
        opt_c.step()
        if u % 20 == 0:
            print(f"update {u:3d}  value loss {loss_c.item():.3f}  entropy {entropy.item():.3f}  "
                  f"greedy return {greedy_return(judge, actor, hp):.2f}")


main()
