# expect: nothing
# looks suspicious: the actor's backward fills the critics' gradients too (cleared before the critics' next
# backward), the entropy weight is learned by a third optimizer, target nets belong to none.
import copy

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.distributions import Normal

torch.manual_seed(0)


def mlp(i, o):
    return nn.Sequential(nn.Linear(i, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, o))


class SoftQ(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = mlp(3, 1)

    def forward(self, s, a):
        return self.net(torch.cat([s, a], 1)).view(-1)


class Actor(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = mlp(2, 2)

    def get_action(self, s):
        mean, log_std = self.net(s).chunk(2, dim=1)
        normal = Normal(mean, (-2 + 1.5 * torch.tanh(log_std)).exp())
        u = normal.rsample()
        log_prob = normal.log_prob(u) - torch.log(1 - torch.tanh(u).pow(2) + 1e-6)
        return torch.tanh(u), log_prob.sum(1)


def env_step(s, a):
    position, speed = s[:, 0], s[:, 1]
    speed = 0.9 * speed + 0.2 * a[:, 0]
    position = (position + speed).clamp(-2, 2)
    return torch.stack([position, speed], 1), -position.pow(2) - 0.05 * a[:, 0].pow(2)


actor, qf1, qf2 = Actor(), SoftQ(), SoftQ()
qf1_target, qf2_target = copy.deepcopy(qf1), copy.deepcopy(qf2)
q_optimizer = torch.optim.Adam(list(qf1.parameters()) + list(qf2.parameters()), lr=3e-3)
actor_optimizer = torch.optim.Adam(actor.parameters(), lr=1e-3)
log_alpha = torch.zeros(1, requires_grad=True)
a_optimizer = torch.optim.Adam([log_alpha], lr=3e-3)
target_entropy, gamma, tau = -1.0, 0.95, 0.02
buffer, state = [], torch.randn(16, 2)

for global_step in range(90):
    with torch.no_grad():
        action, _ = actor.get_action(state)
    next_state, reward = env_step(state, action)
    buffer.append((state, action, reward, next_state))
    state = next_state if (global_step + 1) % 15 else torch.randn(16, 2)
    s, a, r, s2 = (
        torch.cat(part) for part in zip(*[buffer[i] for i in torch.randint(len(buffer), (4,))], strict=True)
    )
    alpha = log_alpha.exp().item()
    with torch.no_grad():
        a2, logp2 = actor.get_action(s2)
        target = r + gamma * (torch.min(qf1_target(s2, a2), qf2_target(s2, a2)) - alpha * logp2)
    qf_loss = F.mse_loss(qf1(s, a), target) + F.mse_loss(qf2(s, a), target)
    q_optimizer.zero_grad()
    qf_loss.backward()
    q_optimizer.step()

    pi, log_pi = actor.get_action(s)
    actor_loss = (alpha * log_pi - torch.min(qf1(s, pi), qf2(s, pi))).mean()
    actor_optimizer.zero_grad()
    actor_loss.backward()
    actor_optimizer.step()

    alpha_loss = (-log_alpha.exp() * (log_pi.detach() + target_entropy)).mean()
    a_optimizer.zero_grad()
    alpha_loss.backward()
    a_optimizer.step()
    for net, net_target in ((qf1, qf1_target), (qf2, qf2_target)):
        for p, pt in zip(net.parameters(), net_target.parameters(), strict=True):
            pt.data.copy_(tau * p.data + (1 - tau) * pt.data)
    if global_step % 30 == 0:
        print(f"step {global_step} qf {qf_loss.item():.3f} actor {actor_loss.item():.3f} alpha {alpha:.3f}")
