# expect: nothing
"""Two-tower text retrieval with an InfoNCE loss: queries against passages of the same topic."""
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(21)
TOPICS, VOCAB = 40, 400
topic_words = torch.randint(0, VOCAB, (TOPICS, 15))


def sample_pairs(n, topics=None):
    topic = torch.randperm(TOPICS)[:n] if topics is None else topics
    pick = lambda k: topic_words[topic].gather(1, torch.randint(0, 15, (len(topic), k)))
    return pick(5), pick(9)


class Tower(nn.Module):
    def __init__(self, dim=32):
        super().__init__()
        self.bag = nn.EmbeddingBag(VOCAB, dim, mode="mean")
        self.proj = nn.Linear(dim, dim)

    def forward(self, ids):
        return self.proj(torch.tanh(self.bag(ids)))


class Retriever(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.passage = Tower(), Tower()
        self.log_tau = nn.Parameter(torch.tensor(-2.0))

    def embed_passages(self, ids):
        return F.normalize(self.passage(ids), dim=-1)

    def similarities(self, q_ids, p_ids):
        q = F.normalize(self.query(q_ids), dim=-1)
        return q @ self.embed_passages(p_ids).T / self.log_tau.exp()


model = Retriever()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for step in range(250):
    q_ids, p_ids = sample_pairs(24)
    sims = model.similarities(q_ids, p_ids)
    labels = torch.arange(len(q_ids))
    loss = F.cross_entropy(sims, labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 50 == 49:
        print(f"step {step + 1} loss {loss.item():.4f}")

model.eval()
with torch.no_grad():
    q_ids, p_ids = sample_pairs(TOPICS, torch.arange(TOPICS))
    sims = model.similarities(q_ids, p_ids)
    recall = (sims.argmax(1) == torch.arange(TOPICS)).float().mean().item()
print(f"recall@1 over {TOPICS} passages {recall:.3f}")
