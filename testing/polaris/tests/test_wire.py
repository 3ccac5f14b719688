from __future__ import annotations

import gzip

import pytest
from polaris_standin.errors import ApiError, OAuthError, UnauthorizedError, grant_not_found
from polaris_standin.wire import (
    FORM,
    Answer,
    Call,
    RequestIds,
    Route,
    Router,
    check_negotiation,
    render,
    render_error,
)


def _handler(_: Call) -> Answer:
    return Answer(200)


ROUTES = [Route("GET", "/a/{x}/b", _handler), Route("POST", "/a/{x}/b", _handler, consumes=FORM)]


def test_parameters_are_decoded_after_the_path_is_split() -> None:
    route, parameters = Router(ROUTES).find("GET", "/a/one%2Ftwo%1Fthree%20%25/b/")
    assert route is ROUTES[0]
    assert parameters == {"x": "one/two\x1fthree %"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/a/b", 404), ("GET", "/a//b", 404), ("PUT", "/a/x/b", 405), ("GET", "/", 404)],
)
def test_what_no_route_takes_is_refused(method: str, path: str, status: int) -> None:
    with pytest.raises(ApiError) as caught:
        Router(ROUTES).find(method, path)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"content-type": "application/json"}, 415),
        ({"content-type": FORM, "accept": "text/html"}, 406),
        ({"content-type": f"{FORM}; charset=utf-8", "accept": "text/html, application/json;q=0.5"}, None),
        ({}, None),
    ],
)
def test_content_types_are_negotiated(headers: dict[str, str], status: int | None) -> None:
    if status is None:
        check_negotiation(ROUTES[1], headers)
        return
    with pytest.raises(ApiError) as caught:
        check_negotiation(ROUTES[1], headers)
    assert caught.value.status == status


def test_answers_are_compressed_only_for_those_who_take_it() -> None:
    answer = Answer(200, {"a": "é"})
    plain = render(answer, accept_encoding="", is_head=False)
    packed = render(answer, accept_encoding="gzip, br", is_head=False)
    assert plain.body == '{"a":"é"}'.encode()
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(bytes(packed.body)) == plain.body


def test_errors_of_handlers_are_compressed_and_others_are_not() -> None:
    packed = render_error(grant_not_found(), accept_encoding="gzip", is_head=False)
    plain = render_error(ApiError(404, "X", "y"), accept_encoding="gzip", is_head=False)
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert plain.body == b'{"error":{"message":"y","type":"X","code":404}}'


def test_the_three_shapes_of_errors() -> None:
    oauth = render_error(OAuthError(400, "e", "d"), accept_encoding="", is_head=False)
    assert oauth.headers["content-type"] == "application/json;charset=UTF-8"
    empty = render_error(UnauthorizedError(), accept_encoding="gzip", is_head=False)
    assert (empty.body, empty.headers["www-authenticate"], empty.headers["content-length"]) == (
        b"",
        "Bearer",
        "0",
    )
    head = render_error(ApiError(404, "X", "y"), accept_encoding="gzip", is_head=True)
    assert (head.body, "content-length" in head.headers) == (b"", False)


def test_request_ids_are_the_clients_or_count_on() -> None:
    ids = RequestIds()
    assert ids.of({"x-request-id": "mine"}) == "mine"
    first, second = ids.of({}), ids.of({})
    assert first.rpartition("_")[0] == second.rpartition("_")[0]
    assert int(second.rpartition("_")[2]) == int(first.rpartition("_")[2]) + 1
