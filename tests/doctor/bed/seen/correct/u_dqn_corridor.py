# expect: nothing
"""Deep Q-learning on a slippery corridor: replay memory, target network, epsilon that shrinks, greedy play at the end."""
import copy
import random
from collections import deque

import torch
from torch import nn


class Corridor:
    """Cells 0..n-1, start in the middle; the right end pays 1, the left end pays 0.2; every step costs a little."""

    def __init__(self, n, rnd):
        self.n, self.rnd = n, rnd

    def reset(self):
        self.cell, self.steps = self.n // 2 + self.rnd.choice([-1, 0, 1]), 0
        return self.cell

    def step(self, action):
        move = 1 if action == 1 else -1
        if self.rnd.random() < 0.1:
            move = -move
        self.cell += move
        self.steps += 1
        if self.cell == self.n - 1:
            return self.cell, 1.0, True
        if self.cell == 0:
            return self.cell, 0.2, True
        return self.cell, -0.01, self.steps >= 60


def encode(cells, n):
    return nn.functional.one_hot(torch.as_tensor(cells), n).float()


def main():
    torch.manual_seed(77)
    rnd = random.Random(77)
    n, gamma, batch = 9, 0.95, 32
    env = Corridor(n, rnd)
    q_net = nn.Sequential(nn.Linear(n, 32), nn.ReLU(), nn.Linear(32, 2))
    target_net = copy.deepcopy(q_net).requires_grad_(False)
    optimizer = torch.optim.Adam(q_net.parameters(), lr=3e-3)
    memory = deque(maxlen=2000)

    def act(cell, epsilon):
        if rnd.random() < epsilon:
            return rnd.randrange(2)
        with torch.no_grad():
            return q_net(encode([cell], n)).argmax(dim=1).item()

    def learn():
        s, a, r, s2, done = zip(*rnd.sample(memory, batch))
        q = q_net(encode(s, n)).gather(1, torch.tensor(a).unsqueeze(1)).squeeze(1)
        with torch.no_grad():
            future = target_net(encode(s2, n)).max(dim=1).values
            goal = torch.tensor(r) + gamma * future * (1 - torch.tensor(done, dtype=torch.float32))
        loss = nn.functional.smooth_l1_loss(q, goal)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(q_net.parameters(), 1.0)
        optimizer.step()

    steps = 0
    for episode in range(1, 121):
        epsilon = max(0.1, 1.0 - episode / 80)
        cell, done = env.reset(), False
        while not done:
            action = act(cell, epsilon)
            after, reward, done = env.step(action)
            memory.append((cell, action, reward, after, float(done and after in (0, n - 1))))
            cell = after
            steps += 1
            if len(memory) >= 100:
                learn()
            if steps % 50 == 0:
                target_net.load_state_dict(q_net.state_dict())
        if episode % 40 == 0:
            print(f"episode {episode} steps so far {steps} epsilon {epsilon:.2f}")

    q_net.eval()
    ends = []
    for _ in range(50):
        cell, done = env.reset(), False
        while not done:
            cell, reward, done = env.step(act(cell, 0.0))
        ends.append(cell == n - 1)
    with torch.no_grad():
        policy = q_net(torch.eye(n)).argmax(dim=1).tolist()
    print("greedy moves in the inner cells", "".join("<>"[a] for a in policy[1:-1]))
    print(f"games won at the right end {sum(ends)} of {len(ends)}")


if __name__ == "__main__":
    main()
