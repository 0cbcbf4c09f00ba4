"""What a page says of other machines goes, what it says of its own stays."""

import asyncio

import pytest

from stvit_video.webdemo.own_links import rewritten, without_other_machines

ELSEWHERE = (
    '<link rel="preconnect" href="https://fonts.example" />',
    '<link\n\trel="preconnect"\n\thref="https://fonts.example"\n\tcrossorigin="anonymous"\n/>',
    '<script\n\tsrc="https://cdn.example/ajax/a.min.js"\n\tasync\n></script>',
    "<SCRIPT SRC='http://cdn.example/a.js'> </SCRIPT>",
    '<script type="module" src="//cdn.example/a.js"></script>',
)
OWN = (
    '<script type="module" crossorigin src="./assets/index-a.js"></script>',
    '<link rel="stylesheet" href="/theme.css">',
    "<script>const a = 'https://cdn.example/a.js'; if (1 > 0) { b(); }</script>",
    '<meta property="og:url" content="https://page.example/" />',
)


@pytest.mark.parametrize("tag", ELSEWHERE)
def test_links_elsewhere_go(tag):
    assert without_other_machines(f"<head>{OWN[0]}{tag}{OWN[1]}</head>".encode()) == (
        f"<head>{OWN[0]}{OWN[1]}</head>".encode()
    )


@pytest.mark.parametrize("tag", OWN)
def test_own_ones_stay(tag):
    assert without_other_machines(tag.encode()) == tag.encode()


def test_an_answer_is_sent_whole_with_its_new_length():
    sent = []

    async def send(message):
        sent.append(message)

    async def answer():
        change = rewritten(send, lambda body: body.replace(b"bc", b"!"))
        headers = [(b"Content-Length", b"4"), (b"x-other", b"kept")]
        await change({"type": "http.response.start", "status": 201, "headers": headers})
        await change({"type": "http.response.body", "body": b"ab", "more_body": True})
        assert sent == []
        await change({"type": "http.response.body", "body": b"cd"})

    asyncio.run(answer())
    start, body = sent
    assert (start["status"], dict(start["headers"])) == (201, {b"x-other": b"kept", b"content-length": b"3"})
    assert body["body"] == b"a!d"
