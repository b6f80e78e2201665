# expect: nothing
"""REINFORCE with a learned baseline on a windy 4x4 grid, many walkers side by side."""
import torch
from torch import nn
from torch.distributions import Categorical

SIDE, GOAL, LIMIT, GAMMA = 4, 15, 20, 0.95
MOVES = torch.tensor([[-1, 0], [1, 0], [0, -1], [0, 1]])


class WindyGrid:
    def __init__(self, walkers, gen, wind=0.1):
        self.n, self.gen, self.wind = walkers, gen, wind

    def reset(self):
        self.cell = torch.zeros(self.n, dtype=torch.long)
        self.over = torch.zeros(self.n, dtype=torch.bool)
        return self.observe()

    def observe(self):
        return nn.functional.one_hot(self.cell, SIDE * SIDE).float()

    def step(self, action):
        gust = torch.rand(self.n, generator=self.gen) < self.wind
        stray = torch.randint(0, 4, (self.n,), generator=self.gen)
        move = MOVES[torch.where(gust, stray, action)]
        row = (self.cell // SIDE + move[:, 0]).clamp(0, SIDE - 1)
        col = (self.cell % SIDE + move[:, 1]).clamp(0, SIDE - 1)
        alive = ~self.over
        self.cell = torch.where(alive, row * SIDE + col, self.cell)
        reward = torch.where(alive & (self.cell == GOAL), 1.0, 0.0) - 0.02 * alive.float()
        self.over = self.over | (self.cell == GOAL)
        return self.observe(), reward, alive.float()


class PolicyAndValue(nn.Module):
    def __init__(self, hidden=32):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(SIDE * SIDE, hidden), nn.Tanh())
        self.policy = nn.Linear(hidden, 4)
        self.value = nn.Linear(hidden, 1)

    def forward(self, s):
        h = self.body(s)
        return Categorical(logits=self.policy(h)), self.value(h).squeeze(-1)


def rollout(env, net):
    state, trace = env.reset(), []
    for _ in range(LIMIT):
        dist, value = net(state)
        action = dist.sample()
        state, reward, alive = env.step(action)
        trace.append((dist.log_prob(action), dist.entropy(), value, reward, alive))
        if env.over.all():
            break
    return [torch.stack(part) for part in zip(*trace)]


def discounted(rewards):
    out, running = torch.zeros_like(rewards), torch.zeros_like(rewards[0])
    for t in reversed(range(len(rewards))):
        running = rewards[t] + GAMMA * running
        out[t] = running
    return out


def main():
    torch.manual_seed(9)
    env = WindyGrid(64, torch.Generator().manual_seed(90))
    net = PolicyAndValue()
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for update in range(1, 61):
        log_p, entropy, value, reward, alive = rollout(env, net)
        returns = discounted(reward)
        advantage = (returns - value).detach()
        n = alive.sum()
        actor = -(log_p * advantage * alive).sum() / n
        critic = ((value - returns).pow(2) * alive).sum() / n
        bonus = (entropy * alive).sum() / n
        optimizer.zero_grad()
        (actor + 0.5 * critic - 0.01 * bonus).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        if update % 15 == 0:
            print(f"update {update:2d}  reward {reward.sum(0).mean().item():.3f}  steps {n.item() / env.n:.1f}")

    judge = WindyGrid(500, torch.Generator().manual_seed(91))
    state, steps = judge.reset(), torch.zeros(500)
    with torch.no_grad():
        for _ in range(LIMIT):
            state, _, alive = judge.step(net(state)[0].probs.argmax(dim=-1))
            steps += alive
    print(f"greedy: {judge.over.float().mean().item():.1%} reach the goal, {steps.mean().item():.2f} steps")


if __name__ == "__main__":
    main()
