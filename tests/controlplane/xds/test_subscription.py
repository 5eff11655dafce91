from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from controlplane.xds.packing import CLUSTER, LISTENER, ROUTE, SECRET, Resource
from controlplane.xds.resources import Resources
from controlplane.xds.snapshot import version
from controlplane.xds.subscription import Push, Request, Subscription


def config(*providers: str, revision: str = "", value: bytes = b"1", secrets: bool = True) -> Resources:
    def of(kind: str, *names: str) -> dict[str, Resource]:
        return {name: Resource(kind, name, value) for name in names}

    hops = [f"hop_{name}" for name in providers]
    return Resources(
        revision or "+".join(providers) or "none",
        {
            CLUSTER: of(CLUSTER, "authz", *hops),
            SECRET: of(SECRET, *(f"key_{name}" for name in providers if secrets)),
            LISTENER: of(LISTENER, "gateway", *hops),
            ROUTE: {"gateway": Resource(ROUTE, "gateway", ",".join(providers).encode())},
        },
    )


class Envoy:
    """Answers as Envoy does: subscribes in its order, acknowledges, asks for the secrets its listeners use."""

    def __init__(self) -> None:
        self.subscription = Subscription()
        self.held: dict[str, dict[str, bytes]] = {}
        self.versions: dict[str, str] = {}
        self.nonces: dict[str, str] = {}
        self.names: dict[str, frozenset[str]] = {}
        self.refuse: set[str] = set()
        self.history: list[tuple[str, frozenset[str]]] = []

    def start(self) -> None:
        self.run(self.subscription.receive(Request(CLUSTER)))
        self.run(self.subscription.receive(Request(LISTENER)))
        self.subscribe(ROUTE, {"gateway"})

    def subscribe(self, kind: str, names: set[str]) -> None:
        if self.names.get(kind) != frozenset(names):
            self.names[kind] = frozenset(names)
            request = Request(kind, self.versions.get(kind, ""), self.nonces.get(kind, ""), frozenset(names))
            self.run(self.subscription.receive(request))

    def publish(self, resources: Resources) -> None:
        self.run(self.subscription.publish(resources))

    def release(self) -> None:
        self.run(self.subscription.release())

    def run(self, pushes: tuple[Push, ...]) -> None:
        for push in pushes:
            self.receive(push)

    def receive(self, push: Push) -> None:
        self.nonces[push.type_url] = push.nonce
        names = frozenset(item.name for item in push.resources)
        refused = bool(names & self.refuse)
        if not refused:
            self.held[push.type_url] = {item.name: item.value for item in push.resources}
            self.versions[push.type_url] = push.version
            self.history.append((push.type_url, names))
            self.check()
        answer = Request(
            push.type_url, self.versions.get(push.type_url, ""), push.nonce, self.names.get(push.type_url, frozenset()),
            "bad" if refused else "",
        )  # fmt: skip
        self.run(self.subscription.receive(answer))
        if push.type_url == LISTENER and not refused:
            keys = {name.replace("hop_", "key_") for name in names if name.startswith("hop_")}
            if keys & set(self.wanted_secrets()):
                self.subscribe(SECRET, keys | set(self.names.get(SECRET, ())))

    def wanted_secrets(self) -> set[str]:
        target = self.subscription._target
        return set(target.of(SECRET)) if target else set()

    def check(self) -> None:
        """The invariant: a route names only what is held."""
        named = {f"hop_{name}" for name in self.held.get(ROUTE, {}).get("gateway", b"").decode().split(",") if name}
        assert named <= set(self.held.get(CLUSTER, {}))
        assert named <= set(self.held.get(LISTENER, {}))

    def has(self, kind: str) -> set[str]:
        return set(self.held.get(kind, {}))


def connected(*providers: str) -> Envoy:
    envoy = Envoy()
    envoy.publish(config(*providers))
    envoy.start()
    return envoy


def test_nothing_is_sent_before_there_is_a_configuration():
    subscription = Subscription()
    assert subscription.receive(Request(CLUSTER)) == ()
    (push,) = subscription.publish(config("a"))
    assert push.type_url == CLUSTER


def test_a_new_envoy_gets_everything_and_its_revision_is_acknowledged():
    envoy = connected("a")
    assert envoy.has(CLUSTER) == {"authz", "hop_a"}
    assert envoy.has(LISTENER) == {"gateway", "hop_a"}
    assert envoy.has(SECRET) == {"key_a"}
    assert envoy.has(ROUTE) == {"gateway"}
    assert envoy.subscription.acknowledged == "a"


def test_adding_sends_clusters_then_listeners_then_secrets_then_routes():
    envoy = connected("a")
    envoy.history.clear()
    envoy.publish(config("a", "b"))
    assert [kind for kind, _ in envoy.history] == [CLUSTER, LISTENER, SECRET, ROUTE]
    assert envoy.subscription.acknowledged == "a+b"


def test_the_route_waits_for_the_secret_a_new_listener_needs():
    envoy = connected("a")
    envoy.subscribe = lambda kind, names: None  # Envoy has not asked for the new secret yet
    envoy.publish(config("a", "b"))
    assert envoy.has(LISTENER) == {"gateway", "hop_a", "hop_b"}
    assert envoy.held[ROUTE]["gateway"] == b"a"
    assert envoy.subscription.acknowledged == "a"
    del envoy.subscribe
    envoy.subscribe(SECRET, {"key_a", "key_b"})
    assert envoy.held[ROUTE]["gateway"] == b"a,b"


def test_removing_changes_routes_first_and_keeps_the_rest_until_released():
    envoy = connected("a", "b")
    envoy.history.clear()
    envoy.publish(config("a"))
    assert [kind for kind, _ in envoy.history] == [ROUTE]
    assert envoy.subscription.draining
    assert "hop_b" in envoy.has(CLUSTER) & envoy.has(LISTENER)
    envoy.release()
    assert [kind for kind, _ in envoy.history] == [ROUTE, LISTENER, CLUSTER]
    assert not envoy.subscription.draining
    assert "hop_b" not in envoy.has(CLUSTER) | envoy.has(LISTENER)


def test_a_refusal_stops_the_change_and_the_next_good_configuration_goes_on():
    envoy = connected("a")
    envoy.refuse = {"hop_b"}
    envoy.publish(config("a", "b"))
    assert envoy.subscription.acknowledged == "a"
    assert envoy.held[ROUTE]["gateway"] == b"a"
    assert not envoy.subscription.draining
    envoy.publish(config("a", "c"))
    assert envoy.subscription.acknowledged == "a+c"
    assert "hop_b" not in envoy.has(CLUSTER)


def test_a_refused_content_is_not_sent_again_and_again():
    envoy = connected("a")
    envoy.refuse = {"hop_b"}
    envoy.publish(config("a", "b"))
    assert envoy.subscription.publish(config("a", "b")) == ()


def test_going_back_to_the_old_configuration_after_a_refusal_settles():
    envoy = connected("a")
    envoy.refuse = {"hop_b"}
    envoy.publish(config("a", "b"))
    envoy.publish(config("a", revision="back"))
    assert envoy.subscription.acknowledged == "back"


def test_a_first_configuration_goes_on_in_spite_of_a_refused_part():
    envoy = Envoy()
    envoy.refuse = {"hop_a"}
    envoy.publish(config("a"))
    envoy.check = lambda: None  # nothing better to hold
    envoy.start()
    assert envoy.has(ROUTE) == {"gateway"}
    assert envoy.subscription.acknowledged == ""


def test_an_outdated_nonce_changes_nothing():
    subscription = Subscription()
    subscription.publish(config("a"))
    (first,) = subscription.receive(Request(CLUSTER))
    assert subscription.receive(Request(CLUSTER, first.version, "stale")) == ()
    assert subscription.receive(Request(CLUSTER, first.version, first.nonce)) == ()
    (listeners,) = subscription.receive(Request(LISTENER))
    assert listeners.type_url == LISTENER


def test_unknown_types_are_ignored():
    assert Subscription().receive(Request("type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment")) == ()


def test_only_one_push_is_under_way_and_the_newest_configuration_wins():
    subscription = Subscription()
    subscription.receive(Request(CLUSTER))
    (first,) = subscription.publish(config("a"))
    assert subscription.publish(config("b")) == ()
    (second,) = subscription.receive(Request(CLUSTER, first.version, first.nonce))
    assert {item.name for item in second.resources} == {"authz", "hop_a", "hop_b"}


def test_a_reconnecting_envoy_is_brought_up_to_date():
    old = connected("a")
    subscription = Subscription()
    subscription.publish(config("a", "b"))
    old.subscription, old.nonces = subscription, {}
    names, old.names = old.names, {}
    old.run(subscription.receive(Request(CLUSTER, old.versions[CLUSTER])))
    old.run(subscription.receive(Request(LISTENER, old.versions[LISTENER])))
    for kind in (SECRET, ROUTE):
        old.subscribe(kind, set(names[kind]) | ({"key_b"} if kind == SECRET else set()))
    assert subscription.acknowledged == "a+b"


def test_envoy_is_never_sent_an_empty_answer_for_secrets():
    subscription = Subscription()
    subscription.publish(config("a", secrets=False))
    (clusters,) = subscription.receive(Request(CLUSTER))
    assert subscription.receive(Request(SECRET, names=frozenset({"key_gone"}))) == ()
    subscription.receive(Request(CLUSTER, clusters.version, clusters.nonce))
    (listeners,) = subscription.receive(Request(LISTENER))
    assert listeners.type_url == LISTENER


def test_a_rotated_secret_is_the_only_thing_sent():
    envoy = connected("a")
    envoy.history.clear()
    target = config("a")
    rotated = {"key_a": Resource(SECRET, "key_a", b"2")}
    envoy.publish(Resources("a", {**target.by_type, SECRET: rotated}))
    assert envoy.history == [(SECRET, {"key_a"})]


def test_versions_are_those_of_the_content():
    subscription = Subscription()
    subscription.publish(config("a"))
    (push,) = subscription.receive(Request(CLUSTER))
    assert push.version == version(config("a").of(CLUSTER))


@given(
    st.lists(
        st.tuples(
            st.sets(st.sampled_from("abcd"), max_size=4), st.booleans(), st.sets(st.sampled_from("abcd"), max_size=1)
        ),
        max_size=8,
    )
)
def test_whatever_is_published_routes_name_only_what_is_held_and_the_last_good_one_wins(steps):
    envoy = connected("a")
    for number, (names, release, refused) in enumerate(steps):
        envoy.refuse = {f"hop_{name}" for name in refused}
        envoy.publish(config(*sorted(names), revision=f"r{number}"))
        if release and envoy.subscription.draining:
            envoy.release()
    envoy.refuse = set()
    envoy.publish(config("a", "d", revision="last", value=b"2"))
    assert envoy.subscription.acknowledged == "last"
    envoy.release()
    assert envoy.has(CLUSTER) == {"authz", "hop_a", "hop_d"}
    assert envoy.has(LISTENER) == {"gateway", "hop_a", "hop_d"}


def test_changed_names_without_an_answer_do_not_count_as_acceptance_of_a_refused_push():
    subscription = Subscription()
    subscription.publish(config("a"))
    (clusters,) = subscription.receive(Request(CLUSTER, "held-before"))
    assert subscription.receive(Request(CLUSTER, "held-before", clusters.nonce, error="bad")) == ()
    assert subscription.receive(Request(CLUSTER, "held-before", clusters.nonce)) == ()
    assert subscription.receive(Request(ROUTE, names=frozenset({"gateway"}))) == ()
