# expect: softmax_before_cross_entropy @ 41
# allowed: softmax_before_cross_entropy @ 24
# mend: 23 →         return self.classify(hidden[:, 0])
# mend: 24 →
"""A small trainer class around nn.TransformerEncoder."""

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split


class SequenceClassifier(nn.Module):
    def __init__(self, n_tokens=16, d_model=24, n_classes=4):
        super().__init__()
        self.emb = nn.Embedding(n_tokens, d_model)
        self.pos = nn.Parameter(torch.zeros(1, 10, d_model))
        block = nn.TransformerEncoderLayer(d_model, 2, 48, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(block, num_layers=1)
        self.classify = nn.Linear(d_model, n_classes)

    def forward(self, tokens):
        hidden = self.encoder(self.emb(tokens) + self.pos)
        logits = self.classify(hidden[:, 0])
        return torch.softmax(logits, dim=-1)


class Trainer:
    def __init__(self, model, train_set, valid_set):
        self.model = model
        self.train_loader = DataLoader(train_set, 32, shuffle=True)
        self.valid_loader = DataLoader(valid_set, 64)
        self.optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
        self.criterion = nn.CrossEntropyLoss()

    def run_epoch(self, loader, training):
        self.model.train(training)
        hits = seen = 0
        with torch.set_grad_enabled(training):
            for tokens, labels in loader:
                out = self.model(tokens)
                loss = self.criterion(out, labels)
                if training:
                    self.optimizer.zero_grad()
                    loss.backward()
                    self.optimizer.step()
                hits += (out.argmax(-1) == labels).sum().item()
                seen += len(labels)
        return hits / seen

    def fit(self, epochs):
        for epoch in range(epochs):
            train_acc = self.run_epoch(self.train_loader, True)
            valid_acc = self.run_epoch(self.valid_loader, False)
            print(f"epoch {epoch + 1}/{epochs} train {train_acc:.3f} valid {valid_acc:.3f}")


torch.manual_seed(21)
seqs = torch.randint(0, 16, (600, 10))
train_set, valid_set = random_split(TensorDataset(seqs, seqs[:, 0] // 4), [480, 120])
Trainer(SequenceClassifier(), train_set, valid_set).fit(4)
