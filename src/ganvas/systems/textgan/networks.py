"""Generator: an LSTM that draws words. Discriminator: convolutions over a few neighbouring words each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ganvas.recipe.text import END, PAD

NEVER = -1e4  # a logit that no softmax gives a chance to, yet finite, since 0 * inf is no number
CHUNK = 256  # sentences whose likelihood is taken together

State = tuple[Tensor, Tensor]


class StepLSTM(nn.LSTM):
    """An LSTM that also takes single steps, by the cell alone: the layer of one step takes half as long again."""

    def forward(self, given: Tensor, state: State | None = None) -> tuple[Tensor, State]:  # type: ignore[override]
        """(B, places, F), or one step (B, F) after a state -> outputs of the same form, and the state after them."""
        if given.ndim == 3:
            return super().forward(given, state)
        assert state is not None
        hidden, cell = torch.lstm_cell(given, state, *self.all_weights[0])
        return hidden, (hidden, cell)


class Writer(nn.Module):
    """An LSTM over the words so far, whose output layer is its embedding (Press & Wolf 2017, arXiv:1608.05859)."""

    def __init__(self, *, words: int, places: int, embedding: int, hidden: int, dropout: float, ends: bool) -> None:
        super().__init__()
        self.places = places
        self.embedding = nn.Embedding(words, embedding)
        nn.init.normal_(self.embedding.weight, std=1 / math.sqrt(embedding))
        self.recurrent = StepLSTM(embedding, hidden, batch_first=True)
        self.out = nn.Linear(hidden, embedding)
        self.bias = nn.Parameter(torch.zeros(words))
        self.dropout = nn.Dropout(dropout)
        # What cannot stand at any place but the last, and at the last.
        never = torch.zeros(2, words)
        never[:, PAD] = NEVER  # nothing but what follows an end is padding
        if ends:
            never[1] = NEVER  # there is room for an end alone
            never[1, END] = 0
        else:
            never[:, END] = NEVER
        self.register_buffer("never", never, persistent=False)

    def forward(self, uniform: Tensor) -> Tensor:
        """Uniform numbers (B, places) -> one-hot kinds (B, places, words)."""
        return self._one_hot(self.rows(uniform))

    @torch.no_grad()
    def rows(self, uniform: Tensor, temperature: float = 1.0) -> Tensor:
        """Uniform numbers (B, places) -> kinds (B, places), int64.

        The word at each place is where the cumulated probabilities pass its number; they are softmax(logits /
        temperature). fp32, even under autocast.
        """

        def choose(logits: Tensor, place: int) -> Tensor:
            cumulated = functional.softmax(logits / temperature, 1).cumsum(1)
            passed = uniform[:, place, None] * cumulated[:, -1:]
            # Rounding may leave none above.
            return torch.searchsorted(cumulated, passed, right=True)[:, 0].clamp(max=logits.shape[1] - 1)

        with torch.autocast(uniform.device.type, enabled=False):
            return torch.stack([kinds for kinds, _ in self._unroll(len(uniform), uniform.device, choose)], 1)

    def relaxed(self, count: int, relaxation: float) -> Tensor:
        """Fakes (count, places, words) with a gradient: the straight-through Gumbel-softmax.

        Jang et al. 2017 (arXiv:1611.01144, section 2.2): forward the one-hot of argmax(logits + noise), which is a draw
        from the model; backward the gradient of softmax((logits + noise) / relaxation).
        """
        noisy: list[Tensor] = []

        def choose(logits: Tensor, place: int) -> Tensor:
            # -log(-log u) is Gumbel-distributed; torch's own exponential numbers take six times as long.
            noisy.append(logits - torch.rand_like(logits).log_().neg_().log_())
            return noisy[-1].detach().argmax(1)

        made = []
        for kinds, ended in self._unroll(count, self.bias.device, choose):
            soft = functional.softmax(noisy[-1] / relaxation, 1)
            hard = self._one_hot(kinds).to(soft.dtype)
            # Padding is no choice, so that no gradient comes from it.
            made.append(hard + (soft - soft.detach()) * ~ended[:, None])
        return torch.stack(made, 1)

    def predictions(self, rows: Tensor) -> Tensor:
        """Kinds (B, places) -> log probabilities (B, places, words), each place after the kinds before it."""
        before = functional.pad(rows, (1, -1), value=END)  # a sentence starts where another has ended
        found, _ = self.recurrent(self.dropout(self.embedding(before)))
        logits = self._logits(self.dropout(found))
        never = self.never[[0] * (self.places - 1) + [1]]  # type: ignore[index]
        return functional.log_softmax(logits + never, 2)

    @torch.no_grad()
    def nats(self, rows: Tensor) -> tuple[float, int]:
        """The negative log-likelihood of kinds (N, places) in nats, and the number of words and ends it is of."""
        total, counted = 0.0, 0
        for part in torch.split(rows.long(), CHUNK):
            real = part != PAD
            log_p = self.predictions(part).gather(2, part[:, :, None])[:, :, 0]
            total -= float((log_p.double() * real).sum())
            counted += int(real.sum())
        return total, counted

    def _unroll(
        self, count: int, device: torch.device, choose: Callable[[Tensor, int], Tensor]
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """The kinds (B,) at each place, as `choose` finds them by logits (B, words); and where it had ended before."""
        before = torch.full((count,), END, device=device)
        ended = torch.zeros(count, dtype=torch.bool, device=device)
        empty = torch.zeros(count, self.recurrent.hidden_size, device=device)
        state: State = empty, empty
        for place in range(self.places):
            found, state = self.recurrent(self.embedding(before), state)
            logits = self._logits(found) + self.never[int(place == self.places - 1)]  # type: ignore[index]
            before = choose(logits, place).masked_fill(ended, PAD)
            yield before, ended
            ended = ended | (before == END)

    def _logits(self, found: Tensor) -> Tensor:
        """fp32."""
        return functional.linear(self.out(found), self.embedding.weight, self.bias.to(found.dtype)).float()

    def _one_hot(self, kinds: Tensor) -> Tensor:
        return torch.zeros(*kinds.shape, len(self.bias), device=kinds.device).scatter_(-1, kinds[..., None], 1.0)


class Reader(nn.Module):
    """Convolutions of several windows over the words, each filter's largest response (Kim 2014, arXiv:1408.5882)."""

    def __init__(self, *, words: int, embedding: int, width: int, windows: Sequence[int]) -> None:
        super().__init__()
        self.embedding = nn.Linear(words, embedding, bias=False)
        nn.init.normal_(self.embedding.weight)
        self.windows = nn.ModuleList(nn.Conv1d(embedding, width, window, padding=window - 1) for window in windows)
        self.hidden = nn.Linear(width * len(windows), width)
        self.score = nn.Linear(width, 1)

    def forward(self, sentences: Tensor) -> Tensor:
        """(B, places, words), one-hot or on the simplex -> logits (B,)."""
        embedded = self.embedding(sentences).transpose(1, 2)
        found = [functional.leaky_relu(window(embedded), 0.2).amax(2) for window in self.windows]
        hidden = functional.leaky_relu(self.hidden(torch.cat(found, 1)), 0.2)
        score: Tensor = self.score(hidden)
        return score[:, 0]
