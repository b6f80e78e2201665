# expect: nothing
"""DQN with a target network on a small corridor world with a slippery floor."""
import random
from collections import deque, namedtuple

import torch
from torch import nn

Transition = namedtuple("Transition", "state action reward next_state done")


class Corridor:
    """Cells 0..7; cell 7 pays 1, cell 0 pays 0.1, both end the game; the walker starts at cell 2."""

    n_cells, n_actions = 8, 2

    def __init__(self, rng, slip=0.1, limit=30):
        self.rng, self.slip, self.limit = rng, slip, limit

    def reset(self):
        self.cell, self.t = 2, 0
        return self.encode()

    def encode(self):
        s = [0.0] * self.n_cells
        s[self.cell] = 1.0
        return s

    def step(self, action):
        if self.rng.random() < self.slip:
            action = 1 - action
        self.cell += 1 if action == 1 else -1
        self.t += 1
        reward = {0: 0.1, 7: 1.0}.get(self.cell, 0.0)
        done = self.cell in (0, 7)
        return self.encode(), reward, done, self.t >= self.limit


class Memory:
    def __init__(self, size, rng):
        self.data, self.rng = deque(maxlen=size), rng

    def add(self, *args):
        self.data.append(Transition(*args))

    def sample(self, n):
        batch = Transition(*zip(*self.rng.sample(list(self.data), n)))
        return (torch.tensor(batch.state), torch.tensor(batch.action).unsqueeze(1),
                torch.tensor(batch.reward), torch.tensor(batch.next_state),
                torch.tensor(batch.done, dtype=torch.float32))

    def __len__(self):
        return len(self.data)


def q_net():
    return nn.Sequential(nn.Linear(Corridor.n_cells, 32), nn.ReLU(), nn.Linear(32, Corridor.n_actions))


def td_error(online, target, batch, gamma):
    state, action, reward, nxt, done = batch
    q = online(state).gather(1, action).squeeze(1)
    with torch.no_grad():
        goal = reward + gamma * (1 - done) * target(nxt).max(dim=1).values
    return goal - q


def greedy(net, state):
    with torch.no_grad():
        return int(net(torch.tensor(state)).argmax())


def main():
    torch.manual_seed(2)
    rng = random.Random(2)
    env, memory = Corridor(rng), Memory(2000, rng)
    online, target = q_net(), q_net()
    target.load_state_dict(online.state_dict())
    optimizer = torch.optim.Adam(online.parameters(), lr=3e-3)
    gamma, updates = 0.95, 0

    for episode in range(120):
        epsilon = max(0.1, 1.0 - episode / 60)
        state, over = env.reset(), False
        while not over:
            action = rng.randrange(2) if rng.random() < epsilon else greedy(online, state)
            nxt, reward, done, cut = env.step(action)
            memory.add(state, action, reward, nxt, done)
            state, over = nxt, done or cut
            if len(memory) >= 100:
                loss = td_error(online, target, memory.sample(32), gamma).pow(2).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                updates += 1
                if updates % 50 == 0:
                    target.load_state_dict(online.state_dict())

    test_env, returns = Corridor(random.Random(77)), []
    for _ in range(50):
        state, over, total = test_env.reset(), False, 0.0
        while not over:
            state, reward, done, cut = test_env.step(greedy(online, state))
            total, over = total + reward, done or cut
        returns.append(total)
    with torch.no_grad():
        values = online(torch.eye(Corridor.n_cells)).max(dim=1).values
    print("values", [round(v, 2) for v in values.tolist()[1:7]])
    print(f"updates {updates}, mean return {sum(returns) / len(returns):.3f}")


if __name__ == "__main__":
    main()
