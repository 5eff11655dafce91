from __future__ import annotations

import pytest
import yaml
from support.envoy import validate

from controlplane.xds.bootstrap import CONTROLPLANE, render_bootstrap, template
from controlplane.xds.gateway import Endpoint, EndpointError, endpoints


def rendered(controlplane="unix:/run/a.sock,unix:/run/b.sock", node="envoy-1", token=None):
    return render_bootstrap(
        template(),
        node=node,
        controlplane=endpoints(controlplane),
        admin=Endpoint(path="/run/admin.sock"),
        token=token,
    )


def test_every_placeholder_is_filled():
    document = yaml.safe_load(rendered())
    assert "${" not in str(document)
    assert document["node"]["id"] == "envoy-1"
    assert document["admin"]["address"] == {"pipe": {"path": "/run/admin.sock"}}
    cluster = document["static_resources"]["clusters"][0]
    assert cluster["name"] == CONTROLPLANE
    addresses = [host["endpoint"]["address"] for host in cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]]
    assert addresses == [{"pipe": {"path": "/run/a.sock"}}, {"pipe": {"path": "/run/b.sock"}}]


@pytest.mark.parametrize("node", ["a: b", '"', "# x", "${admin}", "日本", "x\ny"])
def test_no_node_name_can_break_out_of_its_place(node):
    assert yaml.safe_load(rendered(node=node))["node"]["id"] == node


def test_host_names_are_resolved_by_dns():
    document = yaml.safe_load(rendered("cp-0:9000,cp-1:9000"))
    assert document["static_resources"]["clusters"][0]["type"] == "STRICT_DNS"


def test_the_cluster_token_goes_with_the_configuration_stream_and_nowhere_else():
    document = yaml.safe_load(rendered("cp:9000", token="t" * 32))
    (service,) = document["dynamic_resources"]["ads_config"]["grpc_services"]
    assert service["initial_metadata"] == [{"key": "authorization", "value": "Bearer " + "t" * 32}]
    assert str(document).count("t" * 32) == 1
    assert "authorization" not in rendered()


def test_no_control_plane_is_an_error():
    with pytest.raises(EndpointError):
        render_bootstrap(template(), node="n", controlplane=(), admin=Endpoint("127.0.0.1", 0))


@pytest.mark.e2e
def test_envoy_accepts_it(tmp_path):
    assert validate(rendered(), tmp_path) == ""
    assert validate(rendered("cp:9000", token="t" * 32), tmp_path) == ""
