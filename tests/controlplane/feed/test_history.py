from __future__ import annotations

from support.snapshots import policy

from controlplane.feed.history import FORMAT, KEPT_SECONDS, MAX_SUPERSEDED, History

ONE, TWO = policy(version="1" * 16), policy(version="2" * 16)


def versions(history: History, now: float) -> list[str]:
    return [known.version[0] for known in history.snapshot(now).policies]


def test_the_current_set_is_sent_whole() -> None:
    history = History()
    assert history.observe({"default": ONE}, "5", 0.0)
    sent = history.snapshot(0.0)
    assert (sent.format, sent.revision, list(sent.policies)) == (FORMAT, "5", [ONE])


def test_a_superseded_version_stays_for_requests_under_way() -> None:
    history = History()
    history.observe({"default": ONE}, "5", 0.0)
    history.observe({"default": TWO}, "6", 100.0)
    assert versions(history, 100.0 + KEPT_SECONDS - 1) == ["2", "1"]
    assert versions(history, 100.0 + KEPT_SECONDS) == ["2"]


def test_a_removed_policy_stays_as_long() -> None:
    history = History()
    history.observe({"default": ONE}, "5", 0.0)
    history.observe({}, "6", 1.0)
    assert versions(history, 2.0) == ["1"]


def test_a_version_that_returns_is_known_once() -> None:
    history = History()
    for revision, one in enumerate((ONE, TWO, ONE)):
        history.observe({"default": one}, str(revision), float(revision))
    assert versions(history, 3.0) == ["1", "2"]


def test_the_same_policies_are_no_change() -> None:
    history, same = History(), {"default": ONE}
    assert history.observe(same, "5", 0.0)
    assert not history.observe(same, "6", 1.0)


def test_memory_is_bounded() -> None:
    history = History()
    for number in range(MAX_SUPERSEDED + 50):
        history.observe({"default": policy(version=f"{number:016x}")}, str(number), 0.0)
    assert len(history.snapshot(0.0).policies) == MAX_SUPERSEDED + 1
