# expect: nothing
# %% [markdown]
# # BiLSTM + atenção, 3 folds estratificados, previsão OOF e média dos folds no teste
# %%
import os
import random

import numpy as np
import pandas as pd
import torch
import torch.nn as nn
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from torch.utils.data import DataLoader, TensorDataset


def seed_everything(seed=2023):
    random.seed(seed)
    os.environ["PYTHONHASHSEED"] = str(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


seed_everything()
MAXLEN, EPOCHS, BATCH, FOLDS = 16, 4, 32, 3

# %% perguntas sinceras e insinceras
SUJEITOS = "vizinhos políticos médicos jogadores turistas professores cozinheiros".split()
TOM = {0: "como quando onde explicar aprender recomendam".split(), 1: "mentem idiotas odeiam burros culpa vergonha".split()}
RESTO = "por que os as tanto hoje sempre de para no na cidade trabalho comida ainda tudo isso".split()


def pergunta(alvo):
    palavras = random.choices(RESTO, k=random.randint(5, 11)) + [random.choice(SUJEITOS)]
    for _ in range(2):
        tom = alvo if random.random() < 0.85 else 1 - alvo
        palavras.append(random.choice(TOM[tom]))
    random.shuffle(palavras)
    return " ".join(palavras)


def tabela(n):
    df = pd.DataFrame({"target": np.arange(n) % 2})
    df["question_text"] = df["target"].map(pergunta)
    return df.drop_duplicates("question_text").sample(frac=1, random_state=1).reset_index(drop=True)


train_df, test_df = tabela(1200), tabela(400)
test_df = test_df[~test_df.question_text.isin(train_df.question_text)].reset_index(drop=True)


# %%
def build_vocab(textos):
    palavras = sorted({p for t in textos for p in t.split()})
    return {p: i + 2 for i, p in enumerate(palavras)}


def to_ids(textos, vocab):
    x = np.zeros((len(textos), MAXLEN), dtype=np.int64)
    for i, t in enumerate(textos):
        ids = [vocab.get(p, 1) for p in t.split()][:MAXLEN]
        x[i, :len(ids)] = ids
    return torch.from_numpy(x)


class Attention(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.w = nn.Linear(d, 1)

    def forward(self, h, mask):
        a = torch.softmax(self.w(torch.tanh(h)).squeeze(-1).masked_fill(~mask, -1e9), dim=1)
        return (a.unsqueeze(-1) * h).sum(1)


class NeuralNet(nn.Module):
    def __init__(self, n, d=20, h=20):
        super().__init__()
        self.embedding = nn.Embedding(n, d, padding_idx=0)
        self.lstm = nn.LSTM(d, h, bidirectional=True, batch_first=True)
        self.att = Attention(2 * h)
        self.dropout = nn.Dropout(0.1)
        self.out = nn.Linear(2 * h, 1)

    def forward(self, x):
        h, _ = self.lstm(self.embedding(x))
        return self.out(self.dropout(self.att(h, x != 0))).squeeze(-1)


def predict(model, x):
    model.eval()
    with torch.no_grad():
        return torch.cat([torch.sigmoid(model(xb)) for xb in x.split(256)]).numpy()


# %%
oof, test_preds = np.zeros(len(train_df)), np.zeros(len(test_df))
splits = StratifiedKFold(n_splits=FOLDS, shuffle=True, random_state=10).split(train_df, train_df.target)
for fold, (tr, va) in enumerate(splits):
    seed_everything(2023 + fold)
    vocab = build_vocab(train_df.question_text[tr])
    x_tr = to_ids(train_df.question_text[tr], vocab)
    y_tr = torch.tensor(train_df.target.values[tr], dtype=torch.float32)
    loader = DataLoader(TensorDataset(x_tr, y_tr), batch_size=BATCH, shuffle=True)
    model = NeuralNet(len(vocab) + 2)
    loss_fn = nn.BCEWithLogitsLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=8e-3)
    for epoch in range(EPOCHS):
        model.train()
        avg_loss = 0.0
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = loss_fn(model(xb), yb)
            loss.backward()
            optimizer.step()
            avg_loss += loss.item() / len(loader)
    oof[va] = predict(model, to_ids(train_df.question_text[va], vocab))
    test_preds += predict(model, to_ids(test_df.question_text, vocab)) / FOLDS
    print(f"fold {fold}: loss {avg_loss:.4f}  auc {roc_auc_score(train_df.target.values[va], oof[va]):.4f}")

print(f"OOF  auc {roc_auc_score(train_df.target, oof):.4f}  f1 {f1_score(train_df.target, oof > 0.5):.4f}")
print(f"test auc {roc_auc_score(test_df.target, test_preds):.4f}  f1 {f1_score(test_df.target, test_preds > 0.5):.4f}")
