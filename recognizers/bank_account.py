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
from recognizers.context import BEHIND, Field, field_of, topics_of
from recognizers.finding import Finding
from recognizers.folded import FoldedText
from recognizers.labels import labels
from recognizers.numbers import Number, counted, has_digits, numbers, readings, tied

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
    r"|(?<![0-9])[0-9]{4}[ ,][^,\n0-9]{0,12},?[0-9]{3}[ ,](?:[^,\n0-9]{1,12},)?(?:[1249],)?(?P<cell>[0-9]{7})[ ,](?=[\"ァ-ヶ])"
)
_SHORT = re.compile(
    r"(?<![一-龠々])(?:普|当|貯|定)[ :.|,/\t]{0,3}(?P<account>[0-9]{7}|[0-9]{3}[ -][0-9]{4})(?![0-9-])"
    r"|店番(?:号)?[ :]{0,2}[0-9〇一二三四五六七八九]{3}[ 、)]{1,2}(?:普通?|当座?)? ?(?P<post>[0-9]{7})(?![0-9])"
)
_IBAN = re.compile(r"[A-Z](?<![0-9A-Za-z].)[A-Z][0-9]{2}(?: ?[0-9A-Z]{4}){3,7}(?: ?[0-9A-Z]{1,3})?(?![0-9A-Za-z])")
# A transfer message's account line (SWIFT MT103), and 振替口座 of the post: 0AAAA-B-CCCCCC.
_MESSAGE = re.compile(r":5(?:0[AFK]?|9[AF]?):/(?P<account>[0-9A-Z]{5,34})(?![0-9A-Za-z])")
_GIRO = re.compile(r"振替(?:口座)?[^0-9\n]{0,12}(?P<account>0[0-9]{4} ?-? ?[0-9] ?- ?[0-9]{1,7})(?![0-9-])")
# What a form shows to be filled in.
_SAMPLE = re.compile(r"例|たとえば|見本|サンプル|〇〇|XX|××|△△|sample|example", re.IGNORECASE)
_BANK = re.compile("銀行|金庫|信用組合|農協|支店|bank|branch")
_SAMPLES = frozenset({"1234567", "0000000", "9999999", "7654321"})
_SEVEN = re.compile("[0-9][0-9]{6}")
# Without a label of these kinds only 記号, whatever its kind, can tell of an account.
_TELLING = frozenset({ENTITY, "HEALTH_INSURANCE", "SYMBOL"})
_KEYED = re.compile(r"(?:number|no|番号)[\"']? ?[:=] ?[\"']?\Z")
_CODED = re.compile("(?:bank|branch)_?(?:code|name|no)?[\"'] ?:")
# Right before the number: a bank or its branch, by whatever name; and what somebody does with the number's account.
_BANK_BEFORE = re.compile(
    r"(?:[一-龠ァ-ヶぁ-んA-Z ](?:銀行?|信金|信組|労金|農協|金庫|支店|本店|営業部|出張所)|ネット支店)[ のは、:・]{0,2}(?:番号)?[ のはが、:]{0,3}(?:普通?|当座?)?[ :]{0,2}\Z"
)
_PAID_AFTER = re.compile(
    r"[)」]?(?:に(?:[^。\n]{0,10}(?:入れ|入って|振|送|払|返|入金|お願い))|から(?:[^。\n]{0,4}(?:来て|入金|振込|引)))"
)
_PAID = re.compile("振込|振り込|ふりこみ|入金|送金|給料|給与|口座|銀行|ATM|返す|養育費|仕送り|家賃|円|万")
_RIGHT_OR_WRONG = re.compile(r"(?:正しくは|(?<![一-龠])[正誤][^0-9\n一-龠]{1,16}|\([正誤][^0-9\n()]{0,12}\))\Z")
_PAYING = re.compile("振込|振り込|給料|給与|入金|送金")
_STRONG_TOPIC = re.compile("口座|通帳|振込|ゆうちょ")
# No.8827104 is an account's where one is named right before.
_NO = re.compile(r"(?:[Nn][Oo]\.? ?|№ ?)\Z")
_ACCOUNT_WORD = re.compile(
    "普通|当座|定期|口座|預金|積立|通帳|account|acct|a/c|ordinary|savings|checking", re.IGNORECASE
)
_FILLING = re.compile(" ?(?:→|->|なら) ?[0-9]{7}(?![0-9])")
_FILLED = re.compile(r"(?P<short>[0-9]{3,7}) ?(?:→|なら|は|を) ?\Z")
_ZENGIN = re.compile(r"[\"'](?P<symbol>1[0-9]{3}0)[\"'], ?[\"'](?P<number>[0-9]{6,7}1)[\"']")
_INSURANCE = re.compile("保険|健保|国保|組合員|共済|療養|資格")
_POSTAL = re.compile(r"[01]\d{3}0")


class BankAccountFinder:
    """Finds account numbers."""

    entities = frozenset({ENTITY})
    name = "bank_account"

    def find(self, text: FoldedText) -> Iterator[Finding]:
        """See `Finder`."""
        telling = "記号" in text.folded or not _TELLING.isdisjoint(text.view(labels).kinds)
        if text.view(readings) and (telling or _PAYING.search(text.folded)):
            yield from self._labelled(text)
        if not has_digits(text):
            return
        if _SEVEN.search(text.folded):
            for pattern in (_TRANSFER, _SHORT):
                for match in pattern.finditer(text.folded):
                    yield text.finding(*match.span(match.lastgroup or 0), ENTITY, 0.85, self.name)
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
        if "ゆうちょ" in text.folded:
            for match in _ZENGIN.finditer(text.folded):
                for part in ("symbol", "number"):
                    yield text.finding(*match.span(part), ENTITY, 0.7, self.name)


def _score(text: FoldedText, number: Number) -> float:
    field = field_of(text, number.start, number.end)
    standard = len(number.digits) == 7 and len(number.groups) in (1, 7)
    apart = len(number.digits) == 7 and not standard and (number.style == "spoken" or set(number.joins) <= {" "})
    if (
        not number.digits.strip("0")
        or _shown(text.folded, number)
        or (len(number.digits) == 7 and _part(text.folded, number))
    ):
        return 0.0
    if len(number.digits) == 7 and field.kind != ENTITY and (score := _told(text, number, field, standard=standard)):
        return score
    left = text.folded[max(0, number.start - 16) : number.start]
    if _NO.search(left) and not _ACCOUNT_WORD.search(left):
        return 0.0
    if (
        field.kind == "NUMBER"
        and (standard or apart)
        and _BANK.search(text.lowered, max(0, number.start - 80), number.start)
    ):
        return 0.75 if ENTITY in topics_of(text, number.start, number.end, before=80) else 0.0
    if field.kind != ENTITY:
        return 0.0
    if standard:
        return 0.95 if field.strength >= 0.8 else 0.75
    if apart and field.strength >= 0.8:
        return 0.8
    if number.groups == (3, 4) and _BANK_BEFORE.search(text.folded, max(0, number.start - 24), number.start):
        return 0.7
    # Twelve digits in fours: what clouds call an account.
    if number.groups == (4, 4, 4):
        return 0.0
    return 0.85 if field.word in _DIRECT and field.strength >= 0.95 and not counted(text.folded, number) else 0.0


def _part(folded: str, number: Number) -> bool:
    """Whether the number is the tail of a code; a hash sign is a number's own."""
    return folded[number.start - 1 : number.start] != "#" and tied(folded, number)


def _told(text: FoldedText, number: Number, field: Field, *, standard: bool) -> float:
    """Seven digits without a label of their own: after a bank, before what is paid, or set right, where money is the topic."""
    if standard and _KEYED.search(text.lowered, max(0, number.start - 12), number.start):
        left = text.lowered[max(0, number.start - 80) : number.start]
        return 0.75 if _CODED.search(left) else 0.0
    if field.kind not in ("", "NAME", "NUMBER") and field.strength >= 0.6 and field.strength != BEHIND:
        return 0.0
    folded = text.folded
    left = folded[max(0, number.start - 60) : number.start]
    if not _NO.search(left) and _BANK_BEFORE.search(left[-24:]):
        return 0.8
    if _PAID_AFTER.match(folded, number.end) and _PAID.search(left):
        return 0.75
    around = left + folded[number.end : number.end + 24]
    if _RIGHT_OR_WRONG.search(left) and _PAID.search(left):
        return 0.7
    quoted = (
        standard and folded[number.start - 1 : number.start] in "「『" and folded[number.end : number.end + 1] in "」』"
    )
    return 0.65 if quoted and _STRONG_TOPIC.search(around) else 0.0


def _shown(folded: str, number: Number) -> bool:
    """Whether the number is a form's example, or filled up with zeros in one."""
    filled = _FILLED.search(folded, max(0, number.start - 12), number.start)
    if _FILLING.match(folded, number.end) and len(number.digits) < 7:
        return True
    if filled is not None and len(filled["short"]) < 7 and filled["short"] == number.digits.lstrip("0"):
        return True
    return number.digits in _SAMPLES and _SAMPLE.search(folded, max(0, number.start - 32), number.start) is not None


def _postal_score(text: FoldedText, number: Number) -> float:
    """ゆうちょ: `記号` alone, or `記号-番号` in one."""
    # A scanner's spaces between single digits, or five and what follows.
    boxes = len(number.digits) == 5 and max(number.groups) == 1
    if not (number.groups[0] == 5 or boxes) or not _POSTAL.match(number.digits):
        return 0.0
    field = field_of(text, number.start, number.end)
    topics = topics_of(text, number.start, number.end, before=60)
    if len(number.groups) == 2 and 6 <= number.groups[1] <= 8:
        return 0.9 if ENTITY in topics or field.kind in ("HEALTH_INSURANCE", "SYMBOL") else 0.0
    if (len(number.groups) > 1 and not boxes) or not _is_symbol(field):
        return 0.0
    if ENTITY in topics:
        return 0.96
    return 0.0 if _INSURANCE.search(text.folded, max(0, number.start - 60), number.start) else 0.6


def _is_symbol(field: Field) -> bool:
    return field.word.endswith("記号") or field.word == "記号番号"


def _postal_numbers(text: FoldedText, name: str) -> Iterator[Finding]:
    """The 番号 that follows a ゆうちょ 記号."""
    # (2)記号 16080 (3)番号 …: what only counts the lines is left out.
    counted = [number for number in text.view(numbers) if len(number.digits) > 1 or not _counts(text.folded, number)]
    for left, right in pairwise(counted):
        symbol = left.groups in ((5,), (1, 1, 1, 1, 1))
        if symbol and right.groups[1:] in ((), (1,), (4,), (3,)) and 2 <= len(right.digits) <= 8:
            gap = text.folded[left.end : min(right.start, left.end + 13)]
            if len(gap) <= 12 and "番号" in gap.replace(" ", "") and _postal_score(text, left) >= 0.6:
                yield text.finding(right.start, right.end, ENTITY, 0.96, name)
            elif (
                len(gap) <= 4
                and len(right.digits) > 5
                and _POSTAL.match(left.digits)
                and ENTITY in topics_of(text, left.start, left.end, before=30)
            ):
                yield text.finding(left.start, right.end, ENTITY, 0.9, name)


def _counts(folded: str, number: Number) -> bool:
    return folded[number.start] == "(" and folded.startswith(")", number.end)


def load() -> BankAccountFinder:
    """The finder."""
    return BankAccountFinder()
