"""What of a request the page is told, and what every answer says."""

import asyncio

from stvit_video.webdemo.request_headers import HEADERS, POLICY, told_scope, with_headers


def test_headers_of_proxies_and_of_other_pages_are_left_out():
    names = (
        "Host",
        "Accept",
        "X-Forwarded-For",
        "x-gradio-server",
        "Forwarded",
        "Cookie",
        "Origin",
        "Upgrade",
        "range",
    )
    scope = {"path": "/", "query_string": b"a=b", "headers": [(name.encode(), b"x") for name in names]}
    told = told_scope(scope, query="c=d", without="range", extra={"content-type": "text/plain"})
    assert told["headers"] == [(b"Host", b"x"), (b"Accept", b"x"), (b"content-type", b"text/plain")]
    assert (told["path"], told["query_string"]) == ("/", b"c=d")
    assert scope["query_string"] == b"a=b"


def test_answers_have_our_headers_once_and_are_for_no_other_page():
    sent = []

    async def send(message):
        sent.append(message)

    headers = [(b"Content-Type", b"text/html"), (b"Referrer-Policy", b"unsafe-url"), (b"Access-Control-Max-Age", b"9")]
    asyncio.run(with_headers(send)({"type": "http.response.start", "status": 200, "headers": headers}))
    asyncio.run(with_headers(send)({"type": "http.response.body", "body": b"x"}))
    ours = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
    assert sent[0]["headers"] == [headers[0], *ours]
    assert sent[1] == {"type": "http.response.body", "body": b"x"}


def test_a_browser_may_ask_no_other_machine():
    assert POLICY["default-src"] == "'none'"
    for sources in POLICY.values():
        assert set(sources.split()) <= {"'none'", "'self'", "'unsafe-inline'", "'unsafe-eval'", "data:", "blob:"}
