# expect: nothing
# looks suspicious: the actor's loss goes backward through the critic and dirties its gradients every step,
# two target networks are in no optimizer, and a loss is the negative mean of a network's output.
import copy

import torch
from torch import nn

torch.manual_seed(0)
actor = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 1), nn.Tanh())
critic = nn.Sequential(nn.Linear(3, 64), nn.ReLU(), nn.Linear(64, 1))
actor_target, critic_target = copy.deepcopy(actor), copy.deepcopy(critic)
actor_opt = torch.optim.Adam(actor.parameters(), lr=1e-3)
critic_opt = torch.optim.Adam(critic.parameters(), lr=5e-3)


def dynamics(s, a):
    pos, vel = s.unbind(1)
    vel = 0.9 * vel + 0.2 * a.squeeze(1)
    nxt = torch.stack([(pos + 0.2 * vel).clamp(-2, 2), vel], 1)
    return nxt, 1 - nxt[:, 0].square() - 0.1 * a.squeeze(1).square()


def q(net, s, a):
    return net(torch.cat([s, a], 1))


@torch.no_grad()
def soft_update(target, source, tau=0.02):
    for t, s in zip(target.parameters(), source.parameters(), strict=True):
        t.data.copy_(tau * s.data + (1 - tau) * t.data)


for it in range(150):
    state = torch.randn(64, 2)
    with torch.no_grad():
        action = (actor(state) + 0.3 * torch.randn(64, 1)).clamp(-1, 1)
        nxt, reward = dynamics(state, action)
        backup = reward.unsqueeze(1) + 0.8 * q(critic_target, nxt, actor_target(nxt))

    critic_opt.zero_grad()
    critic_loss = nn.functional.mse_loss(q(critic, state, action), backup)
    critic_loss.backward()
    critic_opt.step()

    actor_opt.zero_grad()
    actor_loss = -q(critic, state, actor(state)).mean()
    actor_loss.backward()
    actor_opt.step()

    soft_update(actor_target, actor)
    soft_update(critic_target, critic)
    if it % 30 == 0:
        print(f"{it:4d} critic {critic_loss.item():.4f} actor {actor_loss.item():.4f}")
