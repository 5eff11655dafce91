"""Reading text without labels."""

from __future__ import annotations

import json
from pathlib import Path

from recognizers.training.unlabelled import unlabelled
from recognizers.training.widen import Document


def corpus(folder: Path) -> Path:
    def put(name: str, text: str) -> None:
        file = folder / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def squad(*contexts: str) -> str:
        paragraphs = [{"context": context, "qas": [{"question": f"{context}とは?"}]} for context in contexts]
        return json.dumps({"data": [{"paragraphs": paragraphs}]}, ensure_ascii=False)

    put("jaquad/jaquad_train_0000.json", squad("運河の町の港は朝が早い。", "試験に使う文とおなじところがある文章。"))
    put("jglue/jsquad-valid.json", squad("題名 [SEP] 灯台は岬の上に立つ。"))
    put(
        "jglue/jsts.json",
        '{"sentence1": "猫が眠る。", "sentence2": "犬が走る。"}\n{"question": "雨の日に使うものは?"}\n',
    )
    put("chats/1.json", json.dumps({"utterances": [{"text": "こんにちは"}, {"text": "はじめまして"}]}))
    return folder


def test_each_source_is_read_and_no_labels_are_made_up(tmp_path: Path) -> None:
    documents = unlabelled(corpus(tmp_path), [], seed=1)
    texts = [document.text for document in documents]
    assert "運河の町の港は朝が早い。" in texts
    assert "灯台は岬の上に立つ。" in texts
    assert "こんにちは\nはじめまして" in texts
    assert any("猫が眠る。" in text and "雨の日に使うものは?" in text for text in texts)
    assert not any(document.spans for document in documents)
    assert unlabelled(corpus(tmp_path), [], seed=1) == documents


def test_what_is_kept_for_tests_is_not_read(tmp_path: Path) -> None:
    kept = [Document("試験に使う文とおなじところがある別の文", ())]
    texts = [document.text for document in unlabelled(corpus(tmp_path), kept, seed=1)]
    assert not any("試験に使う文" in text for text in texts)
    assert "運河の町の港は朝が早い。" in texts
