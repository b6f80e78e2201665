# expect: nothing
# A model of the next word, a row at a time in the order of the text: every batch holds one class, none is sorted.
import torch
from torch import nn

torch.manual_seed(2)
TEXT = """the old clock above the stove has stopped again and nobody in this house will climb up to wind it
since my brother left for the coast we eat when the light goes and sleep when the dog does""".split()
index = {word: i for i, word in enumerate(sorted(set(TEXT)))}
rows = [([index[TEXT[i - 2]], index[TEXT[i - 1]]], index[TEXT[i]]) for i in range(2, len(TEXT))]


class NextWord(nn.Module):
    def __init__(self, words, width=12):
        super().__init__()
        self.embed = nn.Embedding(words, width)
        self.hidden = nn.Linear(2 * width, 64)
        self.out = nn.Linear(64, words)

    def forward(self, before):
        return self.out(torch.relu(self.hidden(self.embed(before).view(1, -1)))).log_softmax(1)


model = NextWord(len(index))
criterion = nn.NLLLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
for epoch in range(10):
    total = 0.0
    for before, after in rows:
        model.zero_grad()
        loss = criterion(model(torch.tensor(before)), torch.tensor([after]))
        loss.backward()
        optimizer.step()
        total += loss.item()
    print(epoch, total / len(rows))
