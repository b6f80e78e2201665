# missed: nll_without_log_softmax @ 54
# allowed: nll_without_log_softmax @ 44
# mend: 40 →         self.normalise = nn.LogSoftmax(dim=-1)
"""LSTM part-of-speech tagger in the style of the tutorials, with NLLLoss."""

import random

import torch
from torch import nn

random.seed(0)
torch.manual_seed(0)
lexicon = {
    "DET": ["the", "a"],
    "NOUN": ["dog", "cat", "boat", "tree"],
    "VERB": ["saw", "ate", "held"],
    "ADJ": ["big", "red"],
}
patterns = [["DET", "NOUN", "VERB", "DET", "NOUN"], ["DET", "ADJ", "NOUN", "VERB", "NOUN"]]
tags = list(lexicon)
words = [w for ws in lexicon.values() for w in ws]


def sentence():
    pattern = random.choice(patterns)
    return [words.index(random.choice(lexicon[t])) for t in pattern], [tags.index(t) for t in pattern]


pairs = [sentence() for _ in range(240)]
xs = torch.tensor([p[0] for p in pairs])
ys = torch.tensor([p[1] for p in pairs])


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.embeddings = nn.Embedding(len(words), 12)
        self.lstm = nn.LSTM(12, 16, batch_first=True)
        self.hidden2tag = nn.Linear(16, len(tags))
        self.normalise = nn.Softmax(dim=-1)

    def forward(self, sentences):
        out, _ = self.lstm(self.embeddings(sentences))
        return self.normalise(self.hidden2tag(out))


model = Tagger()
loss_function = nn.NLLLoss()
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
for epoch in range(10):
    for rows in torch.randperm(200).split(20):
        model.zero_grad()
        scores = model(xs[rows])
        loss = loss_function(scores.reshape(-1, len(tags)), ys[rows].reshape(-1))
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())

with torch.no_grad():
    best = model(xs[200:]).argmax(dim=2)
    print("tags right:", (best == ys[200:]).float().mean().item())
