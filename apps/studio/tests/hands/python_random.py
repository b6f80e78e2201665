import random

import torch

random.seed(2024)
torch.manual_seed(2024)
table = [(a, b) for a in range(10) for b in range(10)]
random.shuffle(table)
embedding = torch.nn.Embedding(10, 6)
head = torch.nn.Linear(12, 1)
opt = torch.optim.SGD([*embedding.parameters(), *head.parameters()], lr=0.01)
for n in range(50):
    pairs = random.sample(table, 8)
    a, b = (torch.tensor(column) for column in zip(*pairs, strict=True))
    guess = head(torch.cat([embedding(a), embedding(b)], dim=1)).squeeze(1)
    loss = (guess - (a + b).float()).abs().mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    if random.random() < 0.4:
        print(n, loss.item(), random.choice("abcdef"), random.gauss(0, 1))
