# expect: missing_zero_grad @ 77
# allowed: missing_zero_grad @ 78
import torch
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(3)


class Corridor:
    """Many corridors side by side: walk to the flag on a ring of cells before time is up."""

    def __init__(self, n_env, size=7, horizon=10):
        self.n, self.size, self.horizon = n_env, size, horizon

    def reset(self):
        self.pos = torch.randint(0, self.size, (self.n,))
        self.flag = torch.randint(0, self.size, (self.n,))
        return self.observe()

    def observe(self):
        a = nn.functional.one_hot(self.pos, self.size)
        b = nn.functional.one_hot(self.flag, self.size)
        return torch.cat([a, b], dim=1).float()

    def step(self, action):
        self.pos = (self.pos + action - 1) % self.size
        reward = (self.pos == self.flag).float()
        return self.observe(), reward


def mlp(n_in, n_out):
    return nn.Sequential(nn.Linear(n_in, 48), nn.Tanh(), nn.Linear(48, n_out))


def collect(env, actor):
    obs, acts, rews = [], [], []
    o = env.reset()
    with torch.no_grad():
        for _ in range(env.horizon):
            a = Categorical(logits=actor(o)).sample()
            obs.append(o)
            acts.append(a)
            o, r = env.step(a)
            rews.append(r)
    return torch.stack(obs), torch.stack(acts), torch.stack(rews)


def returns(rews, gamma=0.8):
    out, run = torch.zeros_like(rews), torch.zeros_like(rews[0])
    for t in reversed(range(len(rews))):
        run = rews[t] + gamma * run
        out[t] = run
    return out


env = Corridor(n_env=64)
actor, critic = mlp(2 * env.size, 3), mlp(2 * env.size, 1)
actor_opt = torch.optim.Adam(actor.parameters(), lr=0.01)
critic_opt = torch.optim.RMSprop(critic.parameters(), lr=4e-3)

history = []
for it in range(150):
    obs, acts, rews = collect(env, actor)
    ret = returns(rews)

    value = critic(obs).squeeze(-1)
    critic_loss = (value - ret).pow(2).mean()
    critic_opt.zero_grad()
    critic_loss.backward()
    critic_opt.step()

    adv = ret - value.detach()
    adv = (adv - adv.mean()) / (adv.std() + 1e-6)
    dist = Categorical(logits=actor(obs))
    actor_loss = -(dist.log_prob(acts) * adv).mean() - 0.05 * dist.entropy().mean()
    critic_opt.zero_grad()
    actor_loss.backward()
    actor_opt.step()

    history.append(rews.sum(0).mean().item())
    if (it + 1) % 30 == 0:
        recent = sum(history[-15:]) / 15
        print(f"iteration {it + 1:3d}  reward per episode {recent:.2f}  "
              f"critic loss {critic_loss.item():.3f}  entropy {dist.entropy().mean().item():.2f}")

print(f"last 15 iterations: {sum(history[-15:]) / 15:.2f} of at most {env.horizon}")
