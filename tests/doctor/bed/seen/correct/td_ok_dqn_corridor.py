# expect: nothing
"""Deep Q-learning in a small grid world by hand: replay memory, target network, Huber loss."""
import random
from collections import deque, namedtuple

import torch
import torch.nn as nn
import torch.nn.functional as F

Transition = namedtuple("Transition", "state action reward following done")
SIDE, GOAL, TRAP = 4, (3, 3), (1, 2)
MOVES = [(0, 1), (0, -1), (1, 0), (-1, 0)]


class Grid:
    def __init__(self, rng):
        self.rng = rng

    def reset(self):
        cells = [(r, c) for r in range(SIDE) for c in range(SIDE) if (r, c) not in (GOAL, TRAP)]
        self.at, self.steps = self.rng.choice(cells), 0
        return self.observe()

    def observe(self):
        state = torch.zeros(SIDE * SIDE)
        state[self.at[0] * SIDE + self.at[1]] = 1.0
        return state

    def step(self, action):
        r, c = (min(max(a + d, 0), SIDE - 1) for a, d in zip(self.at, MOVES[action]))
        self.at, self.steps = (r, c), self.steps + 1
        reward = 1.0 if self.at == GOAL else -1.0 if self.at == TRAP else -0.04
        return self.observe(), reward, self.at in (GOAL, TRAP), self.steps >= 30


def q_net():
    return nn.Sequential(nn.Linear(SIDE * SIDE, 48), nn.ReLU(), nn.Linear(48, len(MOVES)))


def learn(online, target, optimizer, memory, rng, batch=32, discount=0.95):
    batch = Transition(*zip(*rng.sample(memory, batch)))
    state, following = torch.stack(batch.state), torch.stack(batch.following)
    action, reward = torch.tensor(batch.action), torch.tensor(batch.reward)
    done = torch.tensor(batch.done, dtype=torch.float32)
    value = online(state).gather(1, action.unsqueeze(1)).squeeze(1)
    with torch.no_grad():
        best = target(following).max(dim=1).values
        wanted = reward + discount * (1 - done) * best
    loss = F.smooth_l1_loss(value, wanted)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_value_(online.parameters(), 10.0)
    optimizer.step()


def play(env, policy):
    state, total = env.reset(), 0.0
    while True:
        state, reward, done, late = env.step(policy(state))
        total += reward
        if done or late:
            return total


def main(episodes=220):
    rng = random.Random(7)
    torch.manual_seed(7)
    env, memory = Grid(rng), deque(maxlen=2000)
    online, target = q_net(), q_net()
    target.load_state_dict(online.state_dict())
    target.eval()
    optimizer = torch.optim.Adam(online.parameters(), lr=3e-3)

    def greedy(state):
        with torch.no_grad():
            return online(state).argmax().item()

    for episode in range(1, episodes + 1):
        epsilon = max(0.05, 1.0 - episode / 120)
        state, over = env.reset(), False
        while not over:
            action = rng.randrange(len(MOVES)) if rng.random() < epsilon else greedy(state)
            following, reward, done, late = env.step(action)
            memory.append(Transition(state, action, reward, following, done))
            state, over = following, done or late
            if len(memory) >= 64:
                learn(online, target, optimizer, memory, rng)
        if episode % 5 == 0:
            target.load_state_dict(online.state_dict())

    returns = [play(Grid(random.Random(100 + k)), greedy) for k in range(60)]
    blind = random.Random(5)
    chance = [play(Grid(random.Random(100 + k)), lambda s: blind.randrange(len(MOVES))) for k in range(60)]
    print(f"mean return {sum(returns) / 60:.3f} (random walk {sum(chance) / 60:.3f}), goals {sum(r > 0 for r in returns)} of 60")


if __name__ == "__main__":
    main()
