# expect: nll_without_log_softmax @ 55
# mend: 45 →         return torch.log_softmax(self.hidden2tag(lstm_out), dim=-1)
"""Part-of-speech tagger: an LSTM over padded sentences, the padding left out of the loss."""

import torch
import torch.nn as nn
import torch.optim as optim
from torch.nn.utils.rnn import pad_sequence

torch.manual_seed(1)
EMBEDDING_DIM, HIDDEN_DIM = 12, 16
sentences = [
    ("the dog ate the apple", "DET NN V DET NN"),
    ("everybody read that book", "NN V DET NN"),
    ("a bird sings", "DET NN V"),
    ("the old man saw a small bird", "DET ADJ NN V DET ADJ NN"),
    ("that small dog barks", "DET ADJ NN V"),
    ("everybody saw the old book", "NN V DET ADJ NN"),
]
word_to_ix, tag_to_ix = {"<pad>": 0}, {"<pad>": 0}
for words, tags in sentences:
    for word in words.split():
        word_to_ix.setdefault(word, len(word_to_ix))
    for tag in tags.split():
        tag_to_ix.setdefault(tag, len(tag_to_ix))


def encode(text, table):
    return torch.tensor([table[w] for w in text.split()])


inputs = pad_sequence([encode(s, word_to_ix) for s, _ in sentences], batch_first=True)
targets = pad_sequence([encode(t, tag_to_ix) for _, t in sentences], batch_first=True)


class LSTMTagger(nn.Module):
    def __init__(self, vocab_size, tagset_size):
        super().__init__()
        self.word_embeddings = nn.Embedding(vocab_size, EMBEDDING_DIM, padding_idx=0)
        self.lstm = nn.LSTM(EMBEDDING_DIM, HIDDEN_DIM, batch_first=True)
        self.hidden2tag = nn.Linear(HIDDEN_DIM, tagset_size)

    def forward(self, sentence):
        lstm_out, _ = self.lstm(self.word_embeddings(sentence))
        return self.hidden2tag(lstm_out)


model = LSTMTagger(len(word_to_ix), len(tag_to_ix))
loss_function = nn.NLLLoss(ignore_index=0)
optimizer = optim.SGD(model.parameters(), lr=0.1)

for epoch in range(61):
    model.zero_grad()
    tag_scores = model(inputs)
    loss = loss_function(tag_scores.flatten(0, 1), targets.flatten())
    loss.backward()
    optimizer.step()
    if epoch % 20 == 0:
        print(f"epoch {epoch} loss {loss.item():.4f}")
