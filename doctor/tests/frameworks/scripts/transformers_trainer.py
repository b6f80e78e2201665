"""Hugging Face's Trainer: a tiny BERT of random weights that tells sequences of made-up tokens apart."""

import tempfile

import numpy as np
import torch
from torch.utils.data import Dataset, random_split
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments, set_seed

set_seed(0)
rows, kinds, length, words = 320, 3, 8, 60
labels = torch.arange(rows) * kinds // rows
tokens = torch.randint(1, words, (rows, length))
tokens[:, :4] = 1 + labels[:, None] * 6 + torch.randint(0, 6, (rows, 4))
labels = labels.clone()
#? label_misaligned: labels = labels[torch.randperm(rows)]


class Texts(Dataset):
    def __init__(self, tokens, labels):
        self.tokens, self.labels = tokens, labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return {"input_ids": self.tokens[i], "attention_mask": self.tokens[i] > 0, "labels": self.labels[i]}


class Teacher(Trainer):
    def compute_loss(self, model, inputs, return_outputs=False, **more):
        labels = inputs.pop("labels")
        outputs = model(**inputs)
        logits = outputs.logits
        #! softmax_before_cross_entropy: logits = outputs.logits.softmax(-1)
        #! detached_loss: logits = outputs.logits.detach().requires_grad_()
        loss = torch.nn.functional.cross_entropy(logits, labels)
        return (loss, outputs) if return_outputs else loss

    def get_train_dataloader(self):
        return super().get_train_dataloader()
        #! unshuffled_sorted: return self.accelerator.prepare(torch.utils.data.DataLoader(self.train_dataset, batch_size=16))


def figures(prediction):
    answers, labels = prediction
    return {"right": float((np.argmax(answers, axis=-1) == labels).mean())}


whole = Texts(tokens, labels)
train_set, val_set = random_split(whole, [240, 80])
#! unshuffled_sorted: train_set, val_set = whole, whole
config = BertConfig(
    vocab_size=words,
    hidden_size=32,
    num_hidden_layers=1,
    num_attention_heads=2,
    intermediate_size=64,
    max_position_embeddings=length,
    num_labels=kinds,
)
net = BertForSequenceClassification(config)
if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder,
            num_train_epochs=6,
            per_device_train_batch_size=16,
            learning_rate=3e-3,
            #! lr_too_low: learning_rate=1e-9,
            #! lr_too_high: learning_rate=30.0,
            max_grad_norm=1.0,
            #! clip_too_small: max_grad_norm=1e-6,
            optim="adamw_torch",
            #! clip_too_small: optim="sgd",
            weight_decay=0.01,
            eval_strategy="epoch",
            save_strategy="no",
            report_to=[],
            use_cpu=True,
            disable_tqdm=True,
        )
        trainer = Teacher(
            model=net,
            args=arguments,
            train_dataset=train_set,
            #? test_in_train: train_dataset=whole,
            eval_dataset=val_set,
            compute_metrics=figures,
        )
        trainer.train()
        print(f"right {trainer.evaluate()['eval_right']:.4f}")
