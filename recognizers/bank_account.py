"""BANK_ACCOUNT: account numbers of banks (seven digits) and of ゆうちょ (記号 five, 番号 two to eight digits).

There is no public check digit: a label decides (普通, 当座, 口座番号, account …). ゆうちょ記号 begin with 1 or 0 and end in 0,
which tells them from health-insurance 記号 where the words around do not.
Source: 全国銀行協会 全銀フォーマット (account: 7 digits); ゆうちょ銀行 記号・番号 (5 + up to 8 digits).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from recognizers import checksums
from recognizers.context import Field, field_of, topics_of
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.labels import labels
from recognizers.numbers import Number, counted, has_digits, numbers, readings

ENTITY = "BANK_ACCOUNT"
_DIRECT = frozenset(
    (  # noqa: SIM905
        "口座番号|口座|普通預金|普通口座|普通|当座預金|当座|貯蓄|貯蓄預金|定期預金|別段預金|別段|(普)|(当)|証券口座|普通no|通帳番号"
        "|account|a/c|acct|ordinary|savings|checking|iban|account_number|account_no|accountnumber|accountno|bankaccountnumber|bank_account|bankaccount"
        "|account number|account no|a/c no|acct no|bank account|ordinary account"
    ).split("|")
)
# A line of a bank's transfer file: bank, branch code and name, type, account, holder in kana.
_TRANSFER = re.compile(
    r"(?<![0-9])[0-9]{4,5}[ァ-ヶー ]{2,15}[0-9]{3}[ァ-ヶー ]{1,15}[1249] ?(?P<account>[0-9]{7})(?=[ァ-ヶ ])"
)
_SHORT = re.compile(r"(?<![一-龠々])(?:普|当|貯|定)[ :.]{0,2}(?P<account>[0-9]{7})(?![0-9])")
_IBAN = re.compile(r"[A-Z](?<![0-9A-Za-z].)[A-Z][0-9]{2}(?: ?[0-9A-Z]{4}){3,7}(?: ?[0-9A-Z]{1,3})?(?![0-9A-Za-z])")
# A transfer message's account line (SWIFT MT103), and 振替口座 of the post: 0AAAA-B-CCCCCC.
_MESSAGE = re.compile(r":5(?:0[AFK]?|9[AF]?):/(?P<account>[0-9A-Z]{5,34})(?![0-9A-Za-z])")
_GIRO = re.compile(r"振替(?:口座)?[^0-9\n]{0,12}(?P<account>0[0-9]{4} ?-? ?[0-9] ?- ?[0-9]{1,7})(?![0-9-])")
# What a form shows to be filled in.
_SAMPLE = re.compile(r"例|見本|サンプル|〇〇|XX|××|△△|sample|example", re.IGNORECASE)
_BANK = re.compile("銀行|金庫|信用組合|農協|支店|bank|branch")
_SAMPLES = frozenset({"1234567", "0000000", "9999999", "7654321"})
_SEVEN = re.compile("[0-9][0-9]{6}")
# Without a label of these kinds only 記号, whatever its kind, can tell of an account.
_TELLING = frozenset({ENTITY, "HEALTH_INSURANCE", "SYMBOL"})
_INSURANCE = re.compile("保険|健保|国保|組合員|共済|療養|資格")
_POSTAL = re.compile(r"[01]\d{3}0")


class BankAccountFinder:
    """Finds account numbers."""

    entities = frozenset({ENTITY})
    name = "bank_account"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        if text.view(readings) and ("記号" in text.folded or not _TELLING.isdisjoint(text.view(labels).kinds)):
            yield from self._labelled(text)
        if not has_digits(text):
            return
        if _SEVEN.search(text.folded):
            for pattern in (_TRANSFER, _SHORT):
                for match in pattern.finditer(text.folded):
                    yield text.finding(*match.span("account"), ENTITY, 0.85, self.name)
        for pattern in [_MESSAGE] * (":5" in text.folded) + [_GIRO] * ("振替" in text.folded):
            for match in pattern.finditer(text.folded):
                yield text.finding(*match.span("account"), ENTITY, 0.9, self.name)
        for match in _IBAN.finditer(text.folded):
            if checksums.iban(match.group()):
                yield text.finding(*match.span(), ENTITY, 0.9, self.name)

    def _labelled(self, text: FoldedText) -> Iterator[Finding]:
        for length, found in text.view(readings).items():
            for number in found if 5 <= length <= 14 else ():
                score = _postal_score(text, number) if length in (5, 13, 12, 8) else 0.0
                score = max(score, _score(text, number))
                if score:
                    yield text.finding(number.start, number.end, ENTITY, score, self.name)
        yield from _postal_numbers(text, self.name)


def _score(text: FoldedText, number: Number) -> float:
    field = field_of(text, number.start, number.end)
    standard = len(number.digits) == 7 and len(number.groups) in (1, 7)
    if _shown(text.folded, number):
        return 0.0
    if field.kind == "NUMBER" and standard and _BANK.search(text.lowered, max(0, number.start - 80), number.start):
        return 0.75 if ENTITY in topics_of(text, number.start, number.end, before=80) else 0.0
    if field.kind != ENTITY:
        return 0.0
    if standard:
        return 0.95 if field.strength >= 0.8 else 0.75
    return 0.85 if field.word in _DIRECT and field.strength >= 0.95 and not counted(text.folded, number) else 0.0


def _shown(folded: str, number: Number) -> bool:
    """Whether the number is a form's example."""
    return number.digits in _SAMPLES and _SAMPLE.search(folded, max(0, number.start - 32), number.start) is not None


def _postal_score(text: FoldedText, number: Number) -> float:
    """ゆうちょ: `記号` alone, or `記号-番号` in one."""
    if number.groups[0] != 5 or not _POSTAL.match(number.digits):
        return 0.0
    field = field_of(text, number.start, number.end)
    topics = topics_of(text, number.start, number.end, before=60)
    if len(number.groups) == 2 and 6 <= number.groups[1] <= 8:
        return 0.9 if ENTITY in topics or field.kind in ("HEALTH_INSURANCE", "SYMBOL") else 0.0
    if len(number.groups) > 1 or not _is_symbol(field):
        return 0.0
    if ENTITY in topics:
        return 0.96
    return 0.0 if _INSURANCE.search(text.folded, max(0, number.start - 60), number.start) else 0.6


def _is_symbol(field: Field) -> bool:
    return field.word.endswith("記号") or field.word == "記号番号"


def _postal_numbers(text: FoldedText, name: str) -> Iterator[Finding]:
    """The 番号 that follows a ゆうちょ 記号."""
    for left, right in pairwise(text.view(numbers)):
        if left.groups == (5,) and right.groups[1:] in ((), (1,)) and 2 <= len(right.digits) <= 8:
            gap = text.folded[left.end : min(right.start, left.end + 13)]
            if len(gap) <= 12 and "番号" in gap and _postal_score(text, left) >= 0.6:
                yield text.finding(right.start, right.end, ENTITY, 0.96, name)
            elif (
                len(gap) <= 4
                and len(right.digits) > 5
                and _POSTAL.match(left.digits)
                and ENTITY in topics_of(text, left.start, left.end, before=30)
            ):
                yield text.finding(left.start, right.end, ENTITY, 0.9, name)


def load() -> BankAccountFinder:
    """The finder."""
    return BankAccountFinder()
