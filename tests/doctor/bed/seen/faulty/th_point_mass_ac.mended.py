# expect: nothing
"""Actor-critic on a one-dimensional point mass that must be brought to rest at the origin."""
import torch
from torch import nn
from torch.distributions import Normal

DT, HORIZON, N_ENV, GAMMA = 0.15, 12, 64, 0.9


def mlp(n_in, n_out, hidden=32):
    return nn.Sequential(nn.Linear(n_in, hidden), nn.Tanh(), nn.Linear(hidden, n_out))


class PointMass:
    def reset(self, n, gen):
        self.s = torch.rand(n, 2, generator=gen) * 2 - 1
        return self.s

    def step(self, force):
        x, v = self.s.unbind(1)
        v = v + DT * 3 * force.clamp(-1.5, 1.5)
        x = x + DT * v
        self.s = torch.stack([x, v], 1)
        return self.s, -(x ** 2 + 0.1 * v ** 2)


class Agent:
    def __init__(self, lr_actor=0.01, lr_critic=0.01):
        self.actor, self.critic = mlp(2, 1), mlp(2, 1)
        self.log_std = nn.Parameter(torch.tensor(-0.7))
        self.opt_actor = torch.optim.Adam([*self.actor.parameters(), self.log_std], lr=lr_actor)
        self.opt_critic = torch.optim.Adam(self.critic.parameters(), lr=lr_critic)

    def policy(self, s):
        return Normal(self.actor(s).squeeze(-1), self.log_std.clamp(-2, 0.5).exp())

    def update(self, states, actions, rewards, last):
        with torch.no_grad():
            ret = self.critic(last).squeeze(-1)
            targets = []
            for r in reversed(rewards):
                ret = r + GAMMA * ret
                targets.insert(0, ret)
        s, a, g = torch.cat(states), torch.cat(actions), torch.cat(targets)

        value = self.critic(s).squeeze(-1)
        critic_loss = nn.functional.mse_loss(value, g)
        self.opt_critic.zero_grad()
        critic_loss.backward()
        self.opt_critic.step()

        adv = g - value.detach()
        adv = (adv - adv.mean()) / (adv.std() + 1e-6)
        actor_loss = -(self.policy(s).log_prob(a) * adv).mean()
        self.opt_actor.zero_grad()
        actor_loss.backward()
        self.opt_actor.step()
        return actor_loss.item(), critic_loss.item()


def evaluate(agent, gen):
    env, total = PointMass(), 0.0
    s = env.reset(256, gen)
    with torch.no_grad():
        for _ in range(30):
            s, r = env.step(agent.policy(s).mean)
            total += r.mean().item()
    return total


torch.manual_seed(0)
gen = torch.Generator().manual_seed(1)
agent, env = Agent(), PointMass()
print(f"before training: return {evaluate(agent, torch.Generator().manual_seed(9)):.3f}")
for it in range(120):
    s = env.reset(N_ENV, gen)
    states, actions, rewards = [], [], []
    for _ in range(HORIZON):
        with torch.no_grad():
            a = agent.policy(s).sample()
        states.append(s); actions.append(a)
        s, r = env.step(a)
        rewards.append(r)
    la, lc = agent.update(states, actions, rewards, s)
    if it % 40 == 39:
        print(f"iteration {it + 1:3d} actor {la:+.4f} critic {lc:.4f}")
print(f"after training: return {evaluate(agent, torch.Generator().manual_seed(9)):.3f}")
