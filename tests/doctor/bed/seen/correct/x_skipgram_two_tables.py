# expect: nothing
# looks suspicious: logsigmoid by hand, a sum over negatives, one table starts at zero (the other is random),
# and most rows of the tables get no gradient in a step (sparse).
import random

import torch
import torch.nn as nn
import torch.nn.functional as F

random.seed(0)
torch.manual_seed(0)
groups = [["cat", "dog", "horse", "cow"], ["red", "green", "blue", "black"], ["one", "two", "three", "four"]]
corpus = []
for _ in range(150):
    corpus += [*random.sample(random.choice(groups), 3), "and"]
vocab = sorted(set(corpus))
index = {w: i for i, w in enumerate(vocab)}
counts = torch.tensor([corpus.count(w) for w in vocab], dtype=torch.float32)


class SkipGramModel(nn.Module):
    def __init__(self, emb_size, emb_dimension):
        super().__init__()
        self.u_embeddings = nn.Embedding(emb_size, emb_dimension, sparse=True)
        self.v_embeddings = nn.Embedding(emb_size, emb_dimension, sparse=True)
        nn.init.uniform_(self.u_embeddings.weight, -0.5 / emb_dimension, 0.5 / emb_dimension)
        nn.init.constant_(self.v_embeddings.weight, 0)

    def forward(self, pos_u, pos_v, neg_v):
        emb_u, emb_v = self.u_embeddings(pos_u), self.v_embeddings(pos_v)
        score = F.logsigmoid((emb_u * emb_v).sum(1).clamp(-10, 10))
        neg_score = torch.bmm(self.v_embeddings(neg_v), emb_u.unsqueeze(2)).squeeze(2).clamp(-10, 10)
        return -(score + F.logsigmoid(-neg_score).sum(1)).mean()


def batches(size, window=2, negatives=4):
    pairs = [
        (index[corpus[i]], index[corpus[j]])
        for i in range(len(corpus))
        for j in range(max(0, i - window), min(len(corpus), i + window + 1))
        if i != j
    ]
    random.shuffle(pairs)
    for k in range(0, len(pairs), size):
        u, v = torch.tensor(pairs[k : k + size]).unbind(1)
        yield (
            u,
            v,
            torch.multinomial(counts**0.75, len(u) * negatives, replacement=True).view(len(u), negatives),
        )


model = SkipGramModel(len(vocab), 8)
optimizer = torch.optim.SparseAdam(list(model.parameters()), lr=0.02)
for iteration in range(4):
    running_loss = 0.0
    for pos_u, pos_v, neg_v in batches(64):
        optimizer.zero_grad()
        loss = model(pos_u, pos_v, neg_v)
        loss.backward()
        optimizer.step()
        running_loss = running_loss * 0.9 + loss.item() * 0.1
    print(f"Iteration {iteration} Loss: {running_loss:.4f}")
with torch.no_grad():
    table = F.normalize(model.u_embeddings.weight)
    print("closest to cat:", vocab[(table @ table[index["cat"]]).topk(2).indices[1].item()])
