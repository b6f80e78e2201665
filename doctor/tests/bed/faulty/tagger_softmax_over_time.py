# expect: softmax_wrong_dim @ 23
# mend: 23 →         return torch.log_softmax(space, dim=2)
"""Part-of-speech style tagging with an LSTM: scores are [batch, time, tag]."""

import torch
from torch import nn

torch.manual_seed(0)
V, TAGS, T = 20, 4, 9
tag_of = torch.randint(0, TAGS, (V,))


class LSTMTagger(nn.Module):
    def __init__(self, dim=24):
        super().__init__()
        self.word_embeddings = nn.Embedding(V, dim)
        self.lstm = nn.LSTM(dim, dim, batch_first=True)
        self.hidden2tag = nn.Linear(dim, TAGS)

    def forward(self, sentence):
        out, _ = self.lstm(self.word_embeddings(sentence))
        space = self.hidden2tag(out)
        return torch.log_softmax(space, dim=1)


model = LSTMTagger()
loss_function = nn.NLLLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for step in range(80):
    words = torch.randint(0, V, (32, T))
    tags = tag_of[words]
    scores = model(words)
    loss = loss_function(scores.reshape(-1, TAGS), tags.reshape(-1))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 20 == 0:
        acc = (scores.argmax(-1) == tags).float().mean().item()
        print(f"step {step} loss {loss.item():.4f} accuracy {acc:.3f}")
