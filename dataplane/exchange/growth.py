"""A stream's budget while it grows: when to ask, what was granted, what to write down. Pure.

The counting is `meter`'s. An extension is in the journal before any of it is used, and in the entry that ends the
attempt.
"""

from __future__ import annotations

from dataplane.exchange import effects as ef
from dataplane.exchange import entries
from dataplane.exchange.context import Attempt
from dataplane.exchange.events import MoreAnswered
from dataplane.exchange.meter import Meter

Effects = list[ef.Effect]


class Growth:
    """Of one attempt."""

    def __init__(self) -> None:
        self.granted: list[MoreAnswered] = []
        self.waiting = False
        """Nothing more can be shown before an answer comes."""

    def ask(self, meter: Meter, attempt: Attempt) -> Effects:
        """The question, if it is time for one."""
        if not (tokens := meter.wanted()):
            return []
        meter.asked()
        context, target = attempt.context, attempt.target
        price = max(target.prices.output_pico_usd_per_token, target.prices.reasoning_pico_usd_per_token)
        return [ef.AskMore(context.request_id, context.tenant, target.provider, context.reservation_id, tokens, price)]

    def take(self, answer: MoreAnswered, meter: Meter, attempt: Attempt, now: int) -> Effects:
        """An answer has come; `now` in Unix microseconds."""
        meter.answered(answer.output_tokens)
        if not answer.output_tokens or not answer.reservation_id:
            return []
        self.granted.append(answer)
        return [ef.Append(entries.extended(attempt, now, answer), durable=False, answered=False)]
