"""The ARI client against a real Asterisk, and against servers that misbehave in ways it never would."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from ari_controller import ari_requests
from ari_controller.ari import AriClient
from ari_controller.ari_errors import (
    AriError,
    Conflict,
    NotFound,
    Rejected,
    ServerFault,
    Unprocessable,
    Unreachable,
    error_of,
)
from ari_controller.ari_requests import BadRequest, Request, is_channel_id, play, role_of, valid_id
from devstack.asterisk import ARI_USER, Asterisk


@pytest.fixture
async def ari(asterisk: Asterisk) -> AsyncIterator[AriClient]:
    """A client of an application that nobody calls."""
    async with AriClient(asterisk.ari_url, ARI_USER, asterisk.settings.ari_password, "client-test") as client:
        yield client


async def test_requests_and_errors_of_a_real_asterisk(ari: AriClient) -> None:
    assert (await ari.send(Request("ping", "GET", "/asterisk/ping")))["ping"] == "pong"
    await ari.send(ari_requests.create_bridge("x.1", "client-test"))
    with pytest.raises(Conflict, match="already exists"):
        await ari.send(ari_requests.create_bridge("x.1", "client-test"))
    with pytest.raises(Rejected):
        await ari.send(ari_requests.add_to_bridge("x.1"))  # no such channels
    assert await ari.send(ari_requests.delete_bridge("br-x.1")) is None
    assert await ari.send(ari_requests.delete_bridge("br-x.1")) is None  # what is gone is deleted
    with pytest.raises(NotFound, match="404"):
        await ari.send(ari_requests.get_playback("p-x-1"))
    with pytest.raises(NotFound):
        await ari.send(ari_requests.answer("../channels"))


async def test_a_bridge_that_is_just_being_taken_down_is_deleted() -> None:
    body = b'{"message": "Bridge not in Stasis application"}'
    answer = b"HTTP/1.1 409 Conflict\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    for request, is_done in ((ari_requests.delete_bridge("br-x.1"), True), (ari_requests.hang_up("x.1"), False)):
        server, url = await serve(answer)
        async with server, AriClient(url, "u", "p", "client-test") as client:
            if is_done:
                assert await client.send(request) is None
            else:
                with pytest.raises(Conflict):
                    await client.send(request)


async def test_a_wrong_password_is_rejected(asterisk: Asterisk) -> None:
    async with AriClient(asterisk.ari_url, ARI_USER, "wrong", "client-test") as client:
        with pytest.raises(Rejected) as caught:
            await client.send(Request("ping", "GET", "/asterisk/info"))
    assert caught.value.status == 401


async def serve(answer: bytes | None) -> tuple[asyncio.Server, str]:
    """A server that gives one answer to everything, or none at all."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer is not None:
            writer.write(answer)
            await writer.drain()
            writer.close()
        else:
            await reader.read()
            writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (None, Unreachable),
        (b"", Unreachable),
        (b"SIP/2.0 200 OK\r\n\r\n", Unreachable),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{", ServerFault),
        (b"HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n", ServerFault),
        (b'HTTP/1.1 422 x\r\nContent-Length: 16\r\n\r\n{"message":"no"}', Unprocessable),
    ],
)
async def test_an_answer_that_is_none_is_an_error_of_ours(answer: bytes | None, kind: type[AriError]) -> None:
    server, url = await serve(answer)
    async with server, AriClient(url, "user", "password", "app") as client:
        with pytest.raises(kind):
            await client.send(Request("ping", "GET", "/asterisk/ping"))


@pytest.mark.parametrize(
    ("status", "body", "kind", "reason"),
    [
        (404, '{"message": "Channel not found"}', NotFound, "Channel not found"),
        (409, "{}", Conflict, "{}"),
        (400, "<html>", Rejected, "<html>"),
        (500, "[" * 99_999, ServerFault, "[" * 300),
    ],
)
def test_errors_carry_status_and_reason(status: int, body: str, kind: type[AriError], reason: str) -> None:
    error = error_of(status, body)
    assert (type(error), error.status, error.reason) == (kind, status, reason)


@pytest.mark.parametrize("channel_id", ["pbx-1795221506.16", "1795221506.0", "sn-pbx-1.1", "a" * 121])
def test_ids_of_asterisk_are_let_in(channel_id: str) -> None:
    assert valid_id(channel_id)


@pytest.mark.parametrize("channel_id", ["1.0", "click2call-17;2", "my box-1.0", "PJSIP/100-17", "a" * 149])
def test_ids_that_others_chose_for_a_callers_channel_are_taken(channel_id: str) -> None:
    assert is_channel_id(channel_id)


@pytest.mark.parametrize("channel_id", ["", ".", "..", " a", "a\n", "a\x00b", "é", "a" * 150])
def test_what_no_path_can_carry_is_no_id_of_a_channel(channel_id: str) -> None:
    assert not is_channel_id(channel_id)


@pytest.mark.parametrize("channel_id", ["", "../x", "a/b", "a b", "a..b", "-a", "é", "a\n", "a?b", "a%2fb", "a" * 122])
def test_ids_that_could_be_a_path_are_not(channel_id: str) -> None:
    assert not valid_id(channel_id)


def test_what_an_id_tells() -> None:
    assert role_of("sn-pronto-1.2") == ("snoop", "pronto-1.2")
    call = "local-01aryz6s410123456789abcdef"
    assert role_of(f"sn-{call}") == ("snoop", call)
    assert role_of("sn-pbx-1.2") == ("main", "sn-pbx-1.2")  # a caller, on a host that is named sn-pbx
    assert role_of("em-1.2") == ("external_media", "1.2")
    assert role_of("rc-1.2") == ("recording", "1.2")
    assert role_of("1.2") == ("main", "1.2")


@pytest.mark.parametrize("playback_id", ["", "a/b", "..", "p 1", "p-1/../../channels/x"])
def test_a_playback_id_cannot_leave_its_path(playback_id: str) -> None:
    with pytest.raises(BadRequest):
        play("1.2", playback_id, ("sound:/prompts/fr/hello",))


def test_paths_are_quoted() -> None:
    assert ari_requests.answer("a/b?c").path == "/channels/a%2Fb%3Fc/answer"
