# expect: nothing
"""DQN with replay memory and a target net: push a cart left, not at all or right so that it rests at the origin."""
import random
from collections import deque

import torch
import torch.nn.functional as F
from torch import nn

GAMMA, BATCH, LR, HORIZON = 0.9, 64, 2e-3, 30


class Cart:
    def __init__(self, rng):
        self.rng = rng

    def reset(self):
        self.x, self.v, self.t = self.rng.uniform(-1, 1), self.rng.uniform(-0.3, 0.3), 0
        return (self.x, self.v)

    def step(self, action):
        self.v = 0.9 * self.v + 0.15 * (action - 1)
        self.x = max(-2.0, min(2.0, self.x + self.v))
        self.t += 1
        return (self.x, self.v), -abs(self.x), self.t >= HORIZON


class ReplayMemory:
    def __init__(self, size, rng):
        self.rows, self.rng = deque(maxlen=size), rng

    def push(self, *row):
        self.rows.append(row)

    def sample(self, n):
        s, a, r, s2 = zip(*self.rng.sample(self.rows, n))
        return torch.tensor(s), torch.tensor(a), torch.tensor(r), torch.tensor(s2)

    def __len__(self):
        return len(self.rows)


def make_q():
    return nn.Sequential(nn.Linear(2, 48), nn.ReLU(), nn.Linear(48, 48), nn.ReLU(), nn.Linear(48, 3))


def greedy(net, state):
    with torch.no_grad():
        return int(net(torch.tensor([state])).argmax(1))


def optimize_model(policy_net, target_net, memory, optimizer):
    state, action, reward, next_state = memory.sample(BATCH)
    state_action_values = policy_net(state).gather(1, action.unsqueeze(1)).squeeze(1)
    with torch.no_grad():
        next_values = target_net(next_state).max(1).values
        expected = reward + GAMMA * next_values
    loss = F.smooth_l1_loss(state_action_values, expected)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_value_(policy_net.parameters(), 1.0)
    optimizer.step()
    return loss.item()


def mean_return(net, env, episodes=20):
    net.eval()
    total = 0.0
    for _ in range(episodes):
        state, done = env.reset(), False
        while not done:
            state, reward, done = env.step(greedy(net, state))
            total += reward
    return total / episodes


def main():
    torch.manual_seed(12)
    rng = random.Random(12)
    env, memory = Cart(rng), ReplayMemory(4000, rng)
    policy_net, target_net = make_q(), make_q()
    target_net.load_state_dict(policy_net.state_dict())
    target_net.requires_grad_(False)
    optimizer = torch.optim.AdamW(policy_net.parameters(), lr=LR, weight_decay=1e-4)
    steps = 0
    for episode in range(1, 61):
        policy_net.train()
        state, done, losses = env.reset(), False, []
        while not done:
            epsilon = max(0.05, 1 - episode / 30)
            action = rng.randrange(3) if rng.random() < epsilon else greedy(policy_net, state)
            next_state, reward, done = env.step(action)
            memory.push(state, action, reward, next_state)
            state, steps = next_state, steps + 1
            if len(memory) >= 200:
                losses.append(optimize_model(policy_net, target_net, memory, optimizer))
            if steps % 60 == 0:
                target_net.load_state_dict(policy_net.state_dict())
        if episode % 20 == 0:
            print(f"episode {episode}: loss {sum(losses) / len(losses):.4f}")
    print(f"mean return of the greedy policy over new episodes {mean_return(policy_net, Cart(random.Random(99))):.3f}")


main()
