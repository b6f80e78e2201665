# expect: nothing
"""Advantage actor-critic on a small windy grid: many walkers at once, bootstrapped returns, an entropy bonus."""
from collections import deque
from dataclasses import dataclass

import torch
from torch import nn
from torch.distributions import Categorical


@dataclass
class Settings:
    side: int = 5
    walkers: int = 32
    rollout: int = 8
    updates: int = 160
    gamma: float = 0.95
    entropy: float = 0.01
    lr: float = 5e-3
    limit: int = 30


class WindyGrid:
    """From a random cell to the far corner; each step costs a little, wind pushes one in ten steps astray."""

    MOVES = torch.tensor([[0, 1], [0, -1], [1, 0], [-1, 0]])

    def __init__(self, s):
        self.s = s
        self.at = torch.zeros(s.walkers, 2, dtype=torch.long)
        self.age = torch.zeros(s.walkers, dtype=torch.long)
        self.place(torch.ones(s.walkers, dtype=torch.bool))

    def place(self, which):
        n = int(which.sum())
        self.at[which] = torch.randint(0, self.s.side - 1, (n, 2))
        self.age[which] = 0

    def observe(self):
        return nn.functional.one_hot(self.at[:, 0] * self.s.side + self.at[:, 1], self.s.side ** 2).float()

    def step(self, action):
        blown = torch.rand(len(action)) < 0.1
        action = torch.where(blown, torch.randint(0, 4, action.shape), action)
        self.at = (self.at + self.MOVES[action]).clamp(0, self.s.side - 1)
        self.age += 1
        arrived = (self.at == self.s.side - 1).all(dim=1)
        reward = torch.where(arrived, 1.0, -0.02)
        late = (self.age >= self.s.limit) & ~arrived
        ages = self.age.clone()
        return reward, arrived, late, ages


class ActorCritic(nn.Module):
    def __init__(self, cells):
        super().__init__()
        self.shared = nn.Sequential(nn.Linear(cells, 48), nn.Tanh())
        self.actor = nn.Linear(48, 4)
        self.critic = nn.Linear(48, 1)

    def forward(self, x):
        h = self.shared(x)
        return Categorical(logits=self.actor(h)), self.critic(h).squeeze(-1)


def main(s=Settings()):
    torch.manual_seed(8)
    grid, net = WindyGrid(s), ActorCritic(s.side ** 2)
    optimizer = torch.optim.Adam(net.parameters(), lr=s.lr)
    walks = deque(maxlen=200)
    for update in range(1, s.updates + 1):
        log_probs, values, rewards, masks, entropies = [], [], [], [], []
        for _ in range(s.rollout):
            policy, value = net(grid.observe())
            action = policy.sample()
            reward, arrived, late, ages = grid.step(action)
            if late.any():
                with torch.no_grad():
                    _, beyond = net(grid.observe())
                reward = reward + s.gamma * beyond * late
            done = arrived | late
            walks.extend(ages[done].tolist())
            grid.place(done)
            log_probs.append(policy.log_prob(action))
            entropies.append(policy.entropy())
            values.append(value)
            rewards.append(reward)
            masks.append((~done).float())
        with torch.no_grad():
            _, follow = net(grid.observe())
        returns = []
        for reward, mask in zip(reversed(rewards), reversed(masks)):
            follow = reward + s.gamma * follow * mask
            returns.insert(0, follow)
        returns, values = torch.stack(returns), torch.stack(values)
        advantage = (returns - values).detach()
        actor_loss = -(torch.stack(log_probs) * advantage).mean()
        critic_loss = (returns - values).pow(2).mean()
        loss = actor_loss + 0.5 * critic_loss - s.entropy * torch.stack(entropies).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 0.5)
        optimizer.step()
        if update % 32 == 0:
            print(f"update {update:3d}  steps to the goal {sum(walks) / len(walks):5.2f}  value loss {critic_loss.item():.4f}")


if __name__ == "__main__":
    main()
