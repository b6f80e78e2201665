# expect: nothing
# looks suspicious: sentences come one by one in the same order, the loss is a difference of scores, two
# transitions are set to -10000 by .data, and each loss is a sum over a sentence's words.
import torch
import torch.nn as nn
import torch.optim as optim

torch.manual_seed(1)
START_TAG, STOP_TAG = "<START>", "<STOP>"
corpus = """the wall street journal reported today that apple made money / B I I I O O O B O O
georgia tech is a university in georgia / B I O O O O B
today apple hired people in georgia / O B O O O B"""
training_data = [tuple(half.split() for half in line.split(" / ")) for line in corpus.splitlines()]
word_to_ix = {w: i for i, w in enumerate(sorted({w for s, _ in training_data for w in s}))}
tag_to_ix = {"B": 0, "I": 1, "O": 2, START_TAG: 3, STOP_TAG: 4}


class BiLSTMCRF(nn.Module):
    def __init__(self, vocab_size, tag_to_ix, embedding_dim=8, hidden_dim=8):
        super().__init__()
        self.hidden_dim, self.tagset_size = hidden_dim, len(tag_to_ix)
        self.word_embeds = nn.Embedding(vocab_size, embedding_dim)
        self.lstm = nn.LSTM(embedding_dim, hidden_dim // 2, num_layers=1, bidirectional=True)
        self.hidden2tag = nn.Linear(hidden_dim, self.tagset_size)
        self.transitions = nn.Parameter(torch.randn(self.tagset_size, self.tagset_size))
        self.transitions.data[tag_to_ix[START_TAG], :] = -10000
        self.transitions.data[:, tag_to_ix[STOP_TAG]] = -10000

    def features(self, sentence):
        hidden = (torch.randn(2, 1, self.hidden_dim // 2), torch.randn(2, 1, self.hidden_dim // 2))
        lstm_out, _ = self.lstm(self.word_embeds(sentence).view(len(sentence), 1, -1), hidden)
        return self.hidden2tag(lstm_out.view(len(sentence), -1))

    def _forward_alg(self, feats):
        forward_var = torch.full((self.tagset_size,), -10000.0)
        forward_var[tag_to_ix[START_TAG]] = 0.0
        for feat in feats:
            forward_var = torch.logsumexp(forward_var + self.transitions + feat[:, None], dim=1)
        return torch.logsumexp(forward_var + self.transitions[tag_to_ix[STOP_TAG]], dim=0)

    def _score_sentence(self, feats, tags):
        tags = torch.cat([torch.tensor([tag_to_ix[START_TAG]]), tags])
        emit = feats[torch.arange(len(feats)), tags[1:]].sum()
        return (
            emit
            + self.transitions[tags[1:], tags[:-1]].sum()
            + self.transitions[tag_to_ix[STOP_TAG], tags[-1]]
        )

    def neg_log_likelihood(self, sentence, tags):
        feats = self.features(sentence)
        return self._forward_alg(feats) - self._score_sentence(feats, tags)


model = BiLSTMCRF(len(word_to_ix), tag_to_ix)
optimizer = optim.SGD(model.parameters(), lr=0.05, weight_decay=1e-4)
for epoch in range(16):
    total = 0.0
    for sentence, tags in training_data:
        model.zero_grad()
        sentence_in = torch.tensor([word_to_ix[w] for w in sentence])
        targets = torch.tensor([tag_to_ix[t] for t in tags])
        loss = model.neg_log_likelihood(sentence_in, targets)
        loss.backward()
        optimizer.step()
        total += loss.item()
    if epoch % 5 == 0:
        print(f"epoch {epoch} loss {total:.3f}")
