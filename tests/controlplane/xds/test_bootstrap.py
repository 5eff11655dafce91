from __future__ import annotations

import pytest
import yaml
from support.envoy import validate

from controlplane.xds.bootstrap import CONTROLPLANE, render_bootstrap, template
from controlplane.xds.gateway import Endpoint, EndpointError, endpoints


def rendered(controlplane="unix:/run/a.sock,unix:/run/b.sock", node="envoy-1"):
    return render_bootstrap(
        template(), node=node, controlplane=endpoints(controlplane), admin=Endpoint(path="/run/admin.sock")
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


def test_no_control_plane_is_an_error():
    with pytest.raises(EndpointError):
        render_bootstrap(template(), node="n", controlplane=(), admin=Endpoint("127.0.0.1", 0))


@pytest.mark.e2e
def test_envoy_accepts_it(tmp_path):
    assert validate(rendered(), tmp_path) == ""
