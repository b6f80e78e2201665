import torch
from torch import nn

torch.manual_seed(2)


class Tagger(nn.Module):
    def __init__(self, words, width):
        super().__init__()
        self.table = nn.Parameter(torch.randn(words, width))
        self.head = nn.Linear(width, 3)

    def forward(self, tokens):
        return self.head(self.table[tokens].mean(1))


tagger = Tagger(50, 16)
adam = torch.optim.Adam(tagger.parameters(), lr=1e-2)
tokens = torch.randint(0, 50, (256, 7))
tags = tokens.sum(1) % 3
for step in range(60):
    rows = torch.randint(0, 256, (32,))
    loss = nn.functional.cross_entropy(tagger(tokens[rows]), tags[rows])
    adam.zero_grad()
    loss.backward()
    adam.step()
print(loss.item())
