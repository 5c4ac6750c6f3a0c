"""Reward models: a number for each summary of a document; higher is better.

    model = reward_model(run)
    rewards = model(documents, summaries)    # [N], differentiable in the model's weights

They take texts, so that they need not share a tokenizer with the summarizer. `summaries` may contain K summaries for
each document: first those of the first document, then those of the second, and so on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import nn

from homework.models.pretrained import from_pretrained, local_or_hub
from homework.models.summarizer import tiny_summarizer_folder
from homework.profiles import Run

HUB_NAME: Final = "distilbert/distilroberta-base"
LONGEST_DOCUMENT, LONGEST_SUMMARY = 448, 60
"""Tokens that are read in `full`; RoBERTa reads at most 512 of both together."""


def reward_model(run: Run) -> nn.Module:
    """A new reward model: a distilled RoBERTa in profile `full`, else the tiny summarizer with another head.

    Its head is new; RoBERTa's starts with weights from torch's global generator.

    Args:
        run: what `homework.start` returned; the model is put on its device.

    Raises:
        DataError: the pre-trained weights are not available.
    """
    made = RobertaReward(local_or_hub(HUB_NAME)) if run.profile == "full" else TinyReward(str(tiny_summarizer_folder()))
    return made.to(run.device).eval()


class TinyReward(nn.Module):
    """A T5 with a reward head; Stiennon et al. (2020) also start from the summarizer's weights.

    The decoder reads the summary. With the state h_t before each token y_t and the token's embedding E(y_t), the reward
    is the mean over tokens of w·(h_t ∘ E(y_t)) + v·h_t. Both weights start at 0, so that a new model gives every
    summary the reward 0. (With w a positive constant, rewards would start as the summarizer's logits. The last state
    alone, without E(y_t), learned almost nothing from 600 rankings.)

    Args:
        name: the argument of `from_pretrained`.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        from transformers import AutoTokenizer, T5ForConditionalGeneration

        self.tokenizer = AutoTokenizer.from_pretrained(name)
        self.t5: Any = T5ForConditionalGeneration.from_pretrained(name)
        width = self.t5.config.d_model
        self.expected = nn.Parameter(torch.zeros(width))
        self.plain = nn.Parameter(torch.zeros(width))

    def forward(self, documents: Sequence[str], summaries: Sequence[str]) -> torch.Tensor:
        """Rewards `[N]` of N summaries, equally many of them for each document.

        Args:
            documents: the stories.
            summaries: those of the first document, then those of the second, and so on.
        """
        per_document = _per_document(documents, summaries)
        read, written = self._tokens(documents), self._tokens(summaries)
        states = self.t5.encoder(**read).last_hidden_state.repeat_interleave(per_document, dim=0)  # [N, T, width]
        y = written["input_ids"]
        before = torch.cat([torch.full_like(y[:, :1], self.t5.config.decoder_start_token_id), y[:, :-1]], dim=1)
        h = self.t5.decoder(
            input_ids=before,
            encoder_hidden_states=states,
            encoder_attention_mask=read["attention_mask"].repeat_interleave(per_document, dim=0),
        ).last_hidden_state  # [N, T, width]
        values = (h * self.t5.shared(y)) @ self.expected + h @ self.plain  # [N, T]
        counts = written["attention_mask"]
        rewards: torch.Tensor = (values * counts).sum(dim=1) / counts.sum(dim=1)
        return rewards

    def _tokens(self, texts: Sequence[str]) -> Any:
        return self.tokenizer(list(texts), padding=True, return_tensors="pt").to(self.plain.device)


class RobertaReward(nn.Module):
    """A classifier with a single output that reads document and summary one after the other.

    Args:
        name: the argument of `from_pretrained`.

    Raises:
        DataError: it is not available.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        self.tokenizer = from_pretrained(AutoTokenizer, name)
        self.classifier: Any = from_pretrained(AutoModelForSequenceClassification, name, num_labels=1)

    def forward(self, documents: Sequence[str], summaries: Sequence[str]) -> torch.Tensor:
        """Rewards `[N]` of N summaries, equally many of them for each document.

        Args:
            documents: the stories.
            summaries: those of the first document, then those of the second, and so on.
        """
        per_document = _per_document(documents, summaries)
        ended = self.tokenizer(list(summaries), truncation=True, max_length=LONGEST_SUMMARY, add_special_tokens=False)
        short = self.tokenizer.batch_decode(ended["input_ids"])
        # The summary comes first, so that truncation cuts off the end of the document.
        read = self.tokenizer(
            short,
            [document for document in documents for _ in range(per_document)],
            truncation="only_second",
            max_length=LONGEST_DOCUMENT + LONGEST_SUMMARY + 4,
            padding=True,
            return_tensors="pt",
        ).to(self.classifier.device)
        rewards: torch.Tensor = self.classifier(**read).logits[:, 0].float()
        return rewards


def _per_document(documents: Sequence[str], summaries: Sequence[str]) -> int:
    """The number of summaries of each document.

    Raises:
        ValueError: the documents have different numbers of summaries.
    """
    if not documents or not summaries or len(summaries) % len(documents):
        raise ValueError(f"{len(summaries)} summaries, {len(documents)} documents: give each document the same number.")
    return len(summaries) // len(documents)
