# expect: nothing
"""REINFORCE with an entropy bonus on a 6x6 grid; moves off the board are masked out."""
import torch
import torch.nn as nn

N, HORIZON, GAMMA = 6, 14, 0.97
MOVES = torch.tensor([[-1, 0], [1, 0], [0, -1], [0, 1]])


class Grid:
    """A batch of boards; the agent has to reach the goal, each step costs a little."""

    def __init__(self, n_env, gen):
        self.pos = torch.randint(0, N, (n_env, 2), generator=gen)
        self.goal = torch.randint(0, N, (n_env, 2), generator=gen)
        self.done = (self.pos == self.goal).all(1)

    def observe(self):
        return torch.cat([self.pos, self.goal, self.goal - self.pos], 1).float() / (N - 1)

    def legal(self):
        nxt = self.pos[:, None] + MOVES
        return ((nxt >= 0) & (nxt < N)).all(-1)

    def step(self, action):
        alive = ~self.done
        self.pos = torch.where(alive[:, None], self.pos + MOVES[action], self.pos)
        reached = alive & (self.pos == self.goal).all(1)
        self.done = self.done | reached
        return reached.float() - 0.02 * alive.float(), alive.float()


policy = None


def act(obs, legal, gen=None):
    logits = policy(obs).masked_fill(~legal, float("-inf"))
    logp = torch.log_softmax(logits, dim=-1)
    probs = logp.exp()
    if gen is None:
        return probs.argmax(-1), None, None
    action = torch.multinomial(probs.detach(), 1, generator=gen)
    entropy = -(probs * probs.clamp_min(1e-8).log()).sum(-1)
    return action.squeeze(1), logp.gather(1, action).squeeze(1), entropy


def rollout(n_env, gen):
    env, logps, ents, rews, alive = Grid(n_env, gen), [], [], [], []
    for _ in range(HORIZON):
        action, logp, ent = act(env.observe(), env.legal(), gen)
        r, a = env.step(action)
        logps.append(logp); ents.append(ent); rews.append(r); alive.append(a)
    ret, returns = torch.zeros(n_env), []
    for r in reversed(rews):
        ret = r + GAMMA * ret
        returns.insert(0, ret)
    return map(torch.stack, (logps, ents, returns, alive))


@torch.no_grad()
def success(n_env, gen):
    env = Grid(n_env, gen)
    for _ in range(HORIZON):
        action, _, _ = act(env.observe(), env.legal())
        env.step(action)
    return env.done.float().mean().item()


torch.manual_seed(3)
gen = torch.Generator().manual_seed(3)
policy = nn.Sequential(nn.Linear(6, 64), nn.Tanh(), nn.Linear(64, 4))
opt = torch.optim.Adam(policy.parameters(), lr=1e-2)

for it in range(120):
    logp, entropy, returns, alive = rollout(128, gen)
    adv = returns - (returns * alive).sum(1, keepdim=True) / alive.sum(1, keepdim=True).clamp_min(1)
    loss = -((logp * adv + 0.01 * entropy) * alive).sum() / alive.sum()
    if not torch.isfinite(loss):
        print(f"iteration {it}: loss {loss.item()}")
        break
    opt.zero_grad()
    loss.backward()
    opt.step()
    if it % 30 == 29:
        print(f"iteration {it + 1:3d} loss {loss.item():+.4f} entropy {entropy.mean().item():.3f}")

with torch.no_grad():
    healthy = all(torch.isfinite(p).all() for p in policy.parameters())
if healthy:
    print(f"success on fresh boards: {success(500, gen):.3f}")
