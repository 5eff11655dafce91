"""Text without labels that the teachers read for the pupil. None of it is part of this repository.

| name | what | licence |
|---|---|---|
| `jaquad/*.json` | SkelterLabsInc/JaQuAD, `data/train`: passages of Wikipedia, and questions about them | CC BY-SA 3.0 |
| `jglue/*.json` | yahoojapan/JGLUE, JSQuAD (passages of Wikipedia), JSTS, JNLI, JCommonsenseQA | CC BY-SA 4.0 |
| `chats/*.json` | nu-dialogue/real-persona-chat, `real_persona_chat/dialogues`, any 2,500 of them | CC BY-SA 4.0 |

Passages that share twelve characters in a row with a sentence kept for tests are left out.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from recognizers.training.widen import Document

# Characters taken of each source: the text of each is joined in groups of so many.
_TAKEN = (("passages", 1_000_000, 1), ("questions", 600_000, 3), ("sentences", 350_000, 4), ("jsquad", 300_000, 1), ("chats", 1_300_000, 1))  # fmt: skip
_SHARED = 12


def unlabelled(folder: Path, kept: Sequence[Document], seed: int) -> list[Document]:
    """About 3.5 million characters; `kept`: the documents that are for tests. Raises OSError or KeyError for bad files."""
    chance = random.Random(seed)
    known = {text[at : at + _SHARED] for text in (d.text for d in kept) for at in range(0, len(text) - _SHARED + 1, _SHARED)}  # fmt: skip
    sources = {**_jaquad(folder / "jaquad"), **_jglue(folder / "jglue"), "chats": _chats(folder / "chats")}
    documents: list[Document] = []
    for name, characters, group in _TAKEN:
        texts, taken = sorted(set(sources[name])), 0
        chance.shuffle(texts)
        for start in range(0, len(texts), group):
            if taken > characters:
                break
            text = "\n".join(texts[start : start + group])
            if not any(text[at : at + _SHARED] in known for at in range(len(text) - _SHARED + 1)):
                documents.append(Document(text, ()))
                taken += len(text)
    chance.shuffle(documents)
    return documents


def _jaquad(folder: Path) -> dict[str, list[str]]:
    paragraphs = [paragraph for file in sorted(folder.glob("*.json")) for paragraph in _paragraphs(file)]
    return {
        "passages": [paragraph["context"] for paragraph in paragraphs],
        "questions": [asked["question"] for paragraph in paragraphs for asked in paragraph["qas"]],
    }


def _jglue(folder: Path) -> dict[str, list[str]]:
    sentences: list[str] = []
    passages: list[str] = []
    for file in sorted(folder.glob("*.json")):
        if file.name.startswith("jsquad"):
            passages += [paragraph["context"].split("[SEP]")[-1].strip() for paragraph in _paragraphs(file)]
            continue
        for line in file.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            sentences += [entry[key] for key in ("sentence1", "sentence2", "question") if key in entry]
    return {"sentences": sentences, "jsquad": passages}


def _paragraphs(file: Path) -> Iterator[dict[str, Any]]:
    for article in json.loads(file.read_text(encoding="utf-8"))["data"]:
        yield from article["paragraphs"]


def _chats(folder: Path) -> list[str]:
    files = sorted(folder.glob("*.json"))
    return ["\n".join(turn["text"] for turn in json.loads(file.read_text(encoding="utf-8"))["utterances"]) for file in files]  # fmt: skip
