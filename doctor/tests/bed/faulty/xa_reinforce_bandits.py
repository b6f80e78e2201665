# expect: detached_loss @ 42
# allowed: detached_loss @ 40
# mend: 40 →         logps.append(dist.log_prob(act))
# mend: 42 →     return torch.stack(rewards), torch.stack(logps)
# policy gradient on a contextual bandit with three short steps per episode
# flat script, no classes

import torch
import torch.nn as nn
from torch.distributions import Categorical

torch.manual_seed(21)

N_CTX, N_ACT, HORIZON = 6, 4, 3
EPISODES, GAMMA = 120, 0.9
PAYOFF = torch.rand(N_CTX, N_ACT, generator=torch.Generator().manual_seed(4))
BEST = PAYOFF.max(dim=1).values.mean().item()


def new_context(batch):
    return torch.randint(0, N_CTX, (batch,))


def encode(ctx):
    return nn.functional.one_hot(ctx, N_CTX).float()


policy = nn.Sequential(nn.Linear(N_CTX, 32), nn.Tanh(), nn.Linear(32, N_ACT))
opt = torch.optim.Adam(policy.parameters(), lr=2e-2)


def play(batch=32):
    """run `batch` episodes side by side; return rewards and log-probs, [HORIZON, batch] each"""
    rewards, logps = [], []
    ctx = new_context(batch)
    for _ in range(HORIZON):
        dist = Categorical(logits=policy(encode(ctx)))
        act = dist.sample()
        rewards.append(PAYOFF[ctx, act] + 0.1 * torch.randn(batch))
        logps.append(dist.log_prob(act).tolist())
        ctx = new_context(batch)
    return torch.stack(rewards), torch.tensor(logps, requires_grad=True)


def discounted(rewards):
    out, run = torch.zeros_like(rewards), torch.zeros(rewards.size(1))
    for t in reversed(range(rewards.size(0))):
        run = rewards[t] + GAMMA * run
        out[t] = run
    return out


def greedy_payoff():
    with torch.no_grad():
        act = policy(torch.eye(N_CTX)).argmax(dim=1)
    return PAYOFF[torch.arange(N_CTX), act].mean().item()


print(f"start: greedy {greedy_payoff():.3f}   best possible {BEST:.3f}")
avg = None
for ep in range(1, EPISODES + 1):
    rewards, logps = play()
    ret = discounted(rewards)
    # baseline: mean over the batch at the same time step
    adv = ret - ret.mean(dim=1, keepdim=True)
    adv = adv / (ret.std() + 1e-6)
    loss = -(adv * logps).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    r = rewards.mean().item()
    avg = r if avg is None else 0.9 * avg + 0.1 * r
    if ep % 30 == 0:
        print(f"episode {ep:3d}  loss {loss.item():+.4f}  running reward {avg:.3f}  greedy {greedy_payoff():.3f}")
