"""Who is let in: every address and the WebSocket, with every wrong Host, Origin, cookie and token."""

import asyncio
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

from apps.studio.tests.running import Bench, with_studio
from treino_studio.guard import Guard

ADDRESSES = (
    ("GET", "/"), ("GET", "/home"), ("GET", "/run/run"), ("GET", "/sweep/run"), ("GET", "/study/run"),
    ("GET", "/script"), ("GET", "/start"), ("GET", "/playground"), ("GET", "/page/style.css"),
    ("GET", "/words/en"), ("GET", "/api/home"), ("GET", "/api/sweep/run"), ("GET", "/api/study/run"),
    ("POST", "/api/upload"),
    ("GET", "/api/describe/wine"), ("GET", "/api/take/run/script"), ("GET", "/no/such"), ("HEAD", "/"),
    ("POST", "/"), ("DELETE", "/run/run"), ("OPTIONS", "/api/home"), ("GET", "/socket/run/run"),
    ("GET", "//evil.example/"), ("GET", "/..%2f..%2fetc/passwd"),
)  # fmt: skip
EVIL = "http://evil.example"
OLD = "A" * 43


def refusals(bench: Bench) -> dict[str, tuple[dict[str, str], int]]:
    """What a stranger sends in place of the right headers, and the status that it gets."""
    port = bench.serving.port
    own = f"http://{bench.host}"
    return {
        "no host": ({"Host": ""}, 400),
        "another host": ({"Host": "evil.example"}, 421),
        "a name made to point here": ({"Host": f"evil.example:{port}", "Origin": f"{EVIL}:{port}"}, 421),
        "the host without its port": ({"Host": "127.0.0.1"}, 421),
        "another port": ({"Host": f"127.0.0.1:{port + 1}"}, 421),
        "an evil origin": ({"Origin": EVIL}, 403),
        "the origin null": ({"Origin": "null"}, 403),
        "a page of another port": ({"Origin": f"http://127.0.0.1:{port + 1}"}, 403),
        "a page over https": ({"Origin": f"https://{bench.host}"}, 403),
        "localhost's page": ({"Origin": f"http://localhost:{port}"}, 403),
        "a script of another site": ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
        "a script of another port": ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, 403),
        "no cookie": ({"Origin": own, "Cookie": ""}, 401),
        "an old cookie": ({"Origin": own, "Cookie": f"treino_{port}={OLD}"}, 401),
        "another studio's cookie": ({"Origin": own, "Cookie": bench.cookie.replace(str(port), "1")}, 401),
        "an empty cookie": ({"Origin": own, "Cookie": f"treino_{port}="}, 401),
        "no cookie at all": ({"Origin": own, "Cookie": ";;=\"\\;é"}, 401),
    }  # fmt: skip


@pytest.mark.slow
def test_every_address_is_refused_to_a_stranger(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        cases = [
            (method, path, name, headers, status)
            for method, path in ADDRESSES
            for name, (headers, status) in refusals(bench).items()
        ]
        limit = asyncio.Semaphore(8)

        async def check(method: str, path: str, name: str, headers: dict[str, str], status: int) -> None:
            async with limit:
                answered = await bench.get(path, method, **headers)
            assert answered.status == status, (method, path, name, answered)
            if status == 400:  # HTTP/1.1 itself forbids it
                return
            if method != "HEAD":
                assert answered.document["error"]["rule"].startswith("studio_")
            assert "frame-ancestors 'none'" in answered.headers["content-security-policy"]
            assert "set-cookie" not in answered.headers

        await asyncio.gather(*(check(*case) for case in cases))
        assert {each["do"] for each in bench.asked()} <= {"open", "watch"}

    with_studio(tmp_path, work)


def test_a_socket_is_refused_to_a_stranger(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        missing = {"no origin": ({"Origin": ""}, 403)}
        for name, (headers, status) in {**refusals(bench), **missing}.items():
            if "Host" in headers:  # the client of websockets has its own
                continue
            given = {"Origin": f"http://{bench.host}", "Cookie": bench.cookie} | headers
            answered = await bench.get(
                "/socket/run/run",
                Connection="Upgrade",
                Upgrade="websocket",
                Sec_WebSocket_Version="13",
                Sec_WebSocket_Key="dGhlIHNhbXBsZSBub25jZQ==",
                **given,
            )
            assert answered.status == status, (name, answered)
        with pytest.raises(InvalidStatus):
            async with bench.socket(cookie="treino=1"):
                pass
        assert bench.asked() == []

    with_studio(tmp_path, work)


def test_a_token_is_exchanged_for_a_cookie(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        keys, port = bench.serving.guard, bench.serving.port
        answered = await bench.get(f"/run/run?token={keys.steer.token}&a=1", Cookie="")
        assert (answered.status, answered.headers["location"]) == (303, "/run/run?a=1")
        cookie = answered.headers["set-cookie"]
        assert cookie.startswith(f"treino_{port}={keys.steer.cookie};")
        for part in ("httponly", "samesite=strict", "path=/"):
            assert part in cookie.lower()
        assert (await bench.get("/run/run")).status != 401
        # who steers keeps the wheel when the other address is opened in the same browser
        answered = await bench.get(f"/?token={keys.watch.token}")
        assert "set-cookie" not in answered.headers
        answered = await bench.get(f"/?token={keys.watch.token}", Cookie="")
        assert answered.headers["set-cookie"].startswith(f"treino_{port}={keys.watch.cookie};")
        for token in ("", OLD, keys.steer.cookie, keys.steer.token[:-1], keys.steer.token + "a", "%C3%A9"):
            answered = await bench.get(f"/?token={token}", Cookie="")
            assert answered.status == 401
        twice = f"/?token={keys.steer.token}&token={keys.steer.token}"
        assert (await bench.get(twice, Cookie="")).status == 401
        own = f"http://{bench.host}"
        answered = await bench.get(f"/?token={keys.steer.token}", "POST", Cookie="", Origin=own)
        assert answered.status == 401
        moved = await bench.get(f"//evil.example/?token={keys.steer.token}", Cookie="")
        assert moved.headers["location"] == "/"

    with_studio(tmp_path, work)


def test_every_answer_has_strict_headers(tmp_path: Path) -> None:
    async def work(bench: Bench) -> None:
        for path in ("/", "/page/no.js", "/no/such", "/api/sweep/no"):
            headers = (await bench.get(path)).headers
            policy = headers["content-security-policy"]
            assert "unsafe" not in policy
            assert policy.startswith("default-src 'none'; script-src 'self';")
            assert policy.endswith("frame-ancestors 'none'")
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["cache-control"] == "no-store"
            assert headers["referrer-policy"] == "no-referrer"
            assert "server" not in headers
            assert "access-control-allow-origin" not in headers

    with_studio(tmp_path, work)


def test_pages_over_a_network_have_an_address_that_nobody_else_can_name() -> None:
    async def nothing(*_: object) -> None: ...

    everywhere = Guard(nothing, "0.0.0.0", 8711)
    for host, good in (
        ("192.168.1.7:8711", True), ("[fe80::1]:8711", True), ("localhost:8711", True),
        ("evil.example:8711", False), ("192.168.1.7:80", False), ("192.168.1.7", False), (":8711", False),
    ):  # fmt: skip
        assert everywhere._is_host(host) is good, host
    one = Guard(nothing, "192.168.1.7", 8711)
    assert one._is_host("192.168.1.7:8711")
    assert not one._is_host("192.168.1.8:8711")
