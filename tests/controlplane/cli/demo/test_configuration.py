from __future__ import annotations

from controlplane.cli.demo import configuration


def test_everything_personal_is_in_the_prompt() -> None:
    assert all(value in configuration.PROMPT for value in configuration.PERSONAL)


def test_every_demo_starts_with_a_full_budget() -> None:
    def names(run: str) -> set[str]:
        made = configuration.manifest("http://s", "http://d", "sk-a", "sk-b", run)
        return {quota.name for quota in made.quotas}

    assert not names("one") & names("two")


def test_the_dead_provider_comes_first_in_the_failover_route() -> None:
    made = configuration.manifest("http://s", "http://d", "sk-a", "sk-b", "run")
    routes = {route.model: [target.provider for target in route.targets] for route in made.routes}
    assert routes == {"sim-ja": ["simulator"], "sim-failover": ["dead", "simulator"]}
    assert {provider.name: provider.url for provider in made.providers}["dead"] == "http://d/dead/v1"
