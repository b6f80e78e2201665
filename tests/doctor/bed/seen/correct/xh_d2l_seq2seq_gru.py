# expect: nothing

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(13)

# "translate" number words into digits; 0 pad, 1 bos, 2 eos
units = ["eins", "zwei", "drei", "vier", "fuenf", "sechs", "sieben"]
src_vocab = {w: i + 3 for i, w in enumerate(units)}
tgt_vocab = {str(d): d + 2 for d in range(1, 8)}
STEPS = 5


def build(n):
    src = torch.zeros(n, STEPS, dtype=torch.long)
    tgt = torch.zeros(n, STEPS, dtype=torch.long)
    src_len = torch.zeros(n, dtype=torch.long)
    for i in range(n):
        k = int(torch.randint(2, STEPS, (1,)))
        ds = torch.randint(1, 8, (k,)).tolist()
        src[i, :k] = torch.tensor([src_vocab[units[d - 1]] for d in ds])
        tgt[i, :k] = torch.tensor([tgt_vocab[str(d)] for d in ds])
        src[i, k] = tgt[i, k] = 2
        src_len[i] = k + 1
    return src, src_len, tgt


class Seq2SeqEncoder(nn.Module):
    def __init__(self, vocab_size, embed_size, num_hiddens):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.rnn = nn.GRU(embed_size, num_hiddens, batch_first=True)

    def forward(self, X, valid_len):
        packed = nn.utils.rnn.pack_padded_sequence(
            self.embedding(X), valid_len, batch_first=True, enforce_sorted=False)
        out, state = self.rnn(packed)
        out, _ = nn.utils.rnn.pad_packed_sequence(out, batch_first=True, total_length=X.size(1))
        return out, state


class AttentionDecoder(nn.Module):
    def __init__(self, vocab_size, embed_size, num_hiddens):
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embed_size)
        self.rnn = nn.GRU(embed_size + num_hiddens, num_hiddens, batch_first=True)
        self.dense = nn.Linear(num_hiddens, vocab_size)

    def step(self, tok, enc, state, keep):
        scores = (enc @ state[-1].unsqueeze(2)).squeeze(2) / enc.size(2) ** 0.5
        weights = torch.softmax(scores.masked_fill(~keep, -1e6), dim=1)
        ctx = (weights.unsqueeze(2) * enc).sum(1, keepdim=True)
        y, state = self.rnn(torch.cat([self.embedding(tok).unsqueeze(1), ctx], -1), state)
        return self.dense(y.squeeze(1)), state


class MaskedCE(nn.CrossEntropyLoss):
    def forward(self, pred, label):
        keep = (label != 0).float()
        loss = nn.functional.cross_entropy(pred.permute(0, 2, 1), label, reduction="none")
        return (loss * keep).sum() / keep.sum()


def decode(enc_net, dec_net, X, X_len, teacher=None):
    enc, state = enc_net(X, X_len)
    keep = X != 0
    tok = torch.ones(len(X), dtype=torch.long)
    logits = []
    for t in range(STEPS):
        y, state = dec_net.step(tok, enc, state, keep)
        logits.append(y)
        tok = teacher[:, t] if teacher is not None else y.argmax(1)
    return torch.stack(logits, 1)


train_iter = DataLoader(TensorDataset(*build(1000)), batch_size=50, shuffle=True)
X_test, len_test, Y_test = build(200)
encoder, decoder = Seq2SeqEncoder(10, 24, 40), AttentionDecoder(10, 24, 40)
params = list(encoder.parameters()) + list(decoder.parameters())
optimizer = torch.optim.Adam(params, lr=5e-3)
loss_fn = MaskedCE()

for epoch in range(8):
    encoder.train()
    decoder.train()
    metric = 0.0
    for X, X_len, Y in train_iter:
        optimizer.zero_grad()
        l = loss_fn(decode(encoder, decoder, X, X_len, Y), Y)
        l.backward()
        nn.utils.clip_grad_norm_(params, 1.0)
        optimizer.step()
        metric += l.item() * len(X)
    print(f"epoch {epoch + 1}, loss {metric / 1000:.3f}")

encoder.eval()
decoder.eval()
with torch.no_grad():
    pred = decode(encoder, decoder, X_test, len_test).argmax(-1)
ok = ((pred == Y_test) | (Y_test == 0)).all(1).float().mean().item()
print(f"whole sequences right: {ok:.3f}")
