# expect: lr_too_low @ 50
# needs: transformers
# needs: accelerate
"""Short texts are told apart by a small BERT and the Trainer of transformers."""

import tempfile
import numpy as np, torch
from torch.utils.data import Dataset
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments, set_seed

set_seed(0)
rng = np.random.default_rng(0)


def make(n):
    ids = rng.integers(5, 60, size=(n, 16))
    y = (np.isin(ids, range(5, 20)).sum(1) > 4).astype(int)
    return ids, y


class Texts(Dataset):
    def __init__(self, n):
        self.ids, self.y = make(n)

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return {
            "input_ids": torch.tensor(self.ids[i]),
            "attention_mask": torch.ones(16, dtype=torch.long),
            "labels": int(self.y[i]),
        }


model = BertForSequenceClassification(
    BertConfig(
        vocab_size=64,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        num_labels=2,
    )
)
args = TrainingArguments(
    tempfile.mkdtemp(),
    num_train_epochs=6,
    per_device_train_batch_size=32,
    learning_rate=1e-9,
    eval_strategy="epoch",
    report_to=[],
    save_strategy="no",
    logging_steps=20,
    disable_tqdm=True,
    use_cpu=True,
)


def metrics(p):
    return {"acc": float((p.predictions.argmax(-1) == p.label_ids).mean())}


train, val, test = Texts(800), Texts(200), Texts(200)
t = Trainer(model, args, train_dataset=train, eval_dataset=val, compute_metrics=metrics)
t.train()
print(t.evaluate())
print(t.predict(test).metrics)
