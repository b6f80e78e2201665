# expect: grad_cleared_before_step @ 81
# allowed: grad_cleared_before_step @ 82
# mend: 80 +                 optimizer.step()
# mend: 82 →
"""Fine-tune-like loop for a tiny intent classifier with gradient accumulation."""
import argparse
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset


def get_args():
    p = argparse.ArgumentParser()
    p.add_argument("--num_train_epochs", type=int, default=6)
    p.add_argument("--per_device_batch_size", type=int, default=16)
    p.add_argument("--gradient_accumulation_steps", type=int, default=4)
    p.add_argument("--learning_rate", type=float, default=1e-2)
    p.add_argument("--max_grad_norm", type=float, default=1.0)
    p.add_argument("--seed", type=int, default=13)
    return p.parse_args([])


def make_split(n, seed, vocab=200, length=12, n_intents=5):
    g = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % n_intents
    ids = torch.randint(n_intents * 8, vocab, (n, length), generator=g)
    for k in range(3):
        where = torch.randint(0, length, (n,), generator=g)
        ids[torch.arange(n), where] = labels * 8 + torch.randint(0, 8, (n,), generator=g)
    return TensorDataset(ids, labels)


class IntentModel(nn.Module):
    def __init__(self, vocab=200, dim=64, n_intents=5):
        super().__init__()
        self.embeddings = nn.Embedding(vocab, dim)
        self.pooler = nn.Sequential(nn.Linear(dim, dim), nn.Tanh(), nn.Dropout(0.1))
        self.classifier = nn.Linear(dim, n_intents)
        self.loss_fct = nn.CrossEntropyLoss()

    def forward(self, input_ids, labels=None):
        hidden = self.embeddings(input_ids)
        logits = self.classifier(self.pooler(hidden.mean(dim=1)))
        loss = self.loss_fct(logits, labels) if labels is not None else None
        return loss, logits


def evaluate(model, loader):
    model.eval()
    hits = total = 0
    with torch.no_grad():
        for input_ids, labels in loader:
            _, logits = model(input_ids)
            hits += (logits.argmax(dim=-1) == labels).sum().item()
            total += labels.numel()
    return hits / total


def main():
    args = get_args()
    torch.manual_seed(args.seed)
    train_loader = DataLoader(make_split(1280, 0), batch_size=args.per_device_batch_size, shuffle=True)
    eval_loader = DataLoader(make_split(500, 1), batch_size=100)

    model = IntentModel()
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.learning_rate, weight_decay=0.01)
    updates = len(train_loader) // args.gradient_accumulation_steps * args.num_train_epochs
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, total_iters=updates)

    completed_steps = 0
    for epoch in range(args.num_train_epochs):
        model.train()
        epoch_loss = 0.0
        for step, (input_ids, labels) in enumerate(train_loader, start=1):
            loss, _ = model(input_ids, labels)
            epoch_loss += loss.item()
            loss = loss / args.gradient_accumulation_steps
            loss.backward()
            if step % args.gradient_accumulation_steps == 0:
                nn.utils.clip_grad_norm_(model.parameters(), args.max_grad_norm)
                optimizer.zero_grad()
                optimizer.step()
                scheduler.step()
                completed_steps += 1
        acc = evaluate(model, eval_loader)
        print(f"epoch {epoch}: train_loss={epoch_loss / len(train_loader):.4f} "
              f"eval_accuracy={acc:.4f} steps={completed_steps} lr={scheduler.get_last_lr()[0]:.2e}")


if __name__ == "__main__":
    main()
