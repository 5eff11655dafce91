from __future__ import annotations

import orjson
import pytest

from dataplane import errors
from dataplane.dialects.openai_errors import error_object, refusal


def test_an_error_has_the_four_fields_openai_clients_read():
    error = errors.InvalidRequest("'n' must be an integer.", param="n")
    assert error_object(error) == {
        "error": {
            "message": "'n' must be an integer.",
            "type": "invalid_request_error",
            "param": "n",
            "code": "invalid_request",
        }
    }


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.RateLimited("x"), "requests"),
        (errors.PiiBlocked("x"), "invalid_request_error"),
        (errors.ProviderError("x"), "server_error"),
        (errors.AuditUnavailable("x"), "server_error"),
    ],
)
def test_types_are_those_of_openai(error, kind):
    assert error_object(error)["error"]["type"] == kind


def test_a_known_code_and_a_field_name_pass_and_the_providers_words_do_not():
    body = orjson.dumps(
        {"error": {"message": "about 佐藤", "code": "unsupported_value", "param": "messages[3].content[0].type"}}
    )
    error = refusal(400, body)
    assert isinstance(error, errors.InvalidRequest)
    assert (error.code, error.param) == ("unsupported_value", "messages[3].content[0].type")
    assert "佐藤" not in error.message


@pytest.mark.parametrize(
    "problem",
    [
        {"code": "about_sato", "param": "佐藤"},
        {"code": 7, "param": ["messages"]},
        {"code": None, "param": "messages; my number is 123456789018"},
        "a string",
        None,
    ],
)
def test_anything_else_the_provider_says_is_dropped(problem):
    error = refusal(422, orjson.dumps({"error": problem}))
    assert (error.code, error.param, error.http_status) == ("invalid_request", None, 400)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"null", b"\xff"])
def test_a_refusal_that_is_no_json_is_still_a_refusal(body):
    assert refusal(400, body).code == "invalid_request"


def test_other_statuses_keep_their_meaning():
    assert refusal(413, b"").code == "request_too_large"
    assert refusal(500, b"").code == "provider_error"
