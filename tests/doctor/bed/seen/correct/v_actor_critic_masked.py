# expect: nothing
"""Advantage actor-critic with masked actions on a corridor, two optimizers, detached advantages."""
import torch
from torch import nn
from torch.distributions import Categorical

torch.manual_seed(2)
L, ENVS, STEPS, GAMMA = 8, 32, 8, 0.95
actor = nn.Sequential(nn.Linear(L, 32), nn.Tanh(), nn.Linear(32, 2))
critic = nn.Sequential(nn.Linear(L, 32), nn.Tanh(), nn.Linear(32, 1))
opt_actor = torch.optim.Adam(actor.parameters(), lr=1e-2)
opt_critic = torch.optim.Adam(critic.parameters(), lr=2e-2)
encode = lambda pos: nn.functional.one_hot(pos, L).float()


def distribution(pos):
    logits = actor(encode(pos))
    wall = torch.stack([pos == 0, pos == L - 1], -1)
    return Categorical(logits=logits.masked_fill(wall, -1e9))


def rollout(pos):
    logp, values, rewards, dones, entropy = [], [], [], [], []
    for _ in range(STEPS):
        dist = distribution(pos)
        action = dist.sample()
        logp.append(dist.log_prob(action))
        entropy.append(dist.entropy())
        values.append(critic(encode(pos)).squeeze(-1))
        pos = pos + action * 2 - 1
        done = pos == L - 1
        rewards.append(done.float() - 0.01)
        dones.append(done.float())
        pos = torch.where(done, torch.randint(0, L - 1, pos.shape), pos)
    with torch.no_grad():
        ret, returns = critic(encode(pos)).squeeze(-1), []
        for r, d in zip(reversed(rewards), reversed(dones)):
            ret = r + GAMMA * (1 - d) * ret
            returns.insert(0, ret)
    return pos, torch.stack(logp), torch.stack(values), torch.stack(returns), torch.stack(entropy), torch.stack(rewards)


pos = torch.randint(0, L - 1, (ENVS,))
for update in range(100):
    pos, logp, values, returns, entropy, rewards = rollout(pos)
    advantage = (returns - values).detach()
    actor_loss = -(logp * advantage).mean() - 0.01 * entropy.mean()
    critic_loss = nn.functional.mse_loss(values, returns)
    opt_actor.zero_grad()
    actor_loss.backward()
    opt_actor.step()
    opt_critic.zero_grad()
    critic_loss.backward()
    opt_critic.step()
    if update % 25 == 24:
        print(f"update {update + 1} mean reward {rewards.mean().item():.4f} critic loss {critic_loss.item():.4f}")

with torch.no_grad():
    right = distribution(torch.arange(L - 1)).probs[:, 1]
print("probability of going right", [round(p, 2) for p in right.tolist()])
