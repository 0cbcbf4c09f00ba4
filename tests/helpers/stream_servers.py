"""Servers on this machine that hand out a video as cameras do: MPEG-TS over HTTP, and over RTSP with RTP in its TCP."""

import base64
import http.server
import socketserver
import struct
import threading
from contextlib import contextmanager

PACKET_BYTES = 188  # of MPEG-TS
PACKETS_A_WRITE = 7
MP2T = 33  # RTP's number for MPEG-TS
CLOCK = 90000


class Sent:
    """How a video is handed out, connection after connection.

    Args:
        data: of the file; or the pieces that are written one by one.
        seconds: that sending all of it takes; 0 = at once.
        cut_after: share of the data after which the connection ends; one for each connection, 1.0 for all others.
        stall_after: share after which nothing more comes, though the connection stays.
        length: True = the server says how long it is, as of a file.
        refused: connections from this one on get an error.
        user: "name:password" that is asked for.
        content_type: of HTTP.

    Attributes:
        num_connections: that asked for the video.
        over: set when the server is shut down.
    """

    def __init__(
        self,
        data,
        *,
        seconds=0.0,
        cut_after=(),
        stall_after=None,
        length=False,
        refused=None,
        user=None,
        content_type="video/mp2t",
    ):
        size = PACKET_BYTES * PACKETS_A_WRITE
        is_whole = isinstance(data, bytes)
        self.pieces = [data[start : start + size] for start in range(0, len(data), size)] if is_whole else data
        self.seconds, self.cut_after, self.stall_after = seconds, cut_after, stall_after
        self.length, self.refused, self.user, self.content_type = length, refused, user, content_type
        self.num_connections = 0
        self.over = threading.Event()

    def allows(self, headers):
        wanted = self.user and "Basic " + base64.b64encode(self.user.encode()).decode()
        return wanted is None or headers.get("Authorization") == wanted

    def send(self, write):
        """Hand out the video to one connection by `write`."""
        number, self.num_connections = self.num_connections, self.num_connections + 1
        share = self.cut_after[number] if number < len(self.cut_after) else 1.0
        stop = round(len(self.pieces) * (share if self.stall_after is None else self.stall_after))
        for piece in self.pieces[:stop]:
            try:
                write(piece)
            except OSError:  # it has hung up
                return
            if self.over.wait(self.seconds / len(self.pieces)):
                return
        if self.stall_after is not None:
            self.over.wait()


@contextmanager
def http_served(sent):
    """A web server that hands out the video under each path: (address of the server)."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if sent.refused is not None and sent.num_connections >= sent.refused:
                self.send_error(404)
                return
            if not sent.allows(self.headers):
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="camera"')
                self.end_headers()
                return
            self.send_response(200)
            self.send_header("Content-Type", sent.content_type)
            if sent.length:
                self.send_header("Content-Length", str(sum(map(len, sent.pieces))))
            self.end_headers()
            sent.send(self.wfile.write)

        def log_message(self, *args):
            pass

    with served(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler), sent) as port:
        yield f"http://127.0.0.1:{port}"


@contextmanager
def rtsp_served(sent):
    """An RTSP server that plays the video under each path: (address of the server)."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            try:
                while self.answered():
                    pass
            except OSError:
                pass

        def answered(self):
            """Answer one request; False = the connection is over."""
            words = self.rfile.readline().decode().split()
            if not words:
                return False
            headers = {}
            while line := self.rfile.readline().decode().strip():
                name, value = line.split(":", 1)
                headers[name] = value.strip()
            told, body = ["Session: 1"], ""
            if not sent.allows(headers) and words[0] != "OPTIONS":
                self.answer("401 Unauthorized", headers, ['WWW-Authenticate: Basic realm="camera"'])
                return True
            if words[0] == "OPTIONS":
                told = ["Public: DESCRIBE, SETUP, PLAY, TEARDOWN"]
            elif words[0] == "DESCRIBE":
                told = ["Content-Type: application/sdp", f"Content-Base: {words[1]}/"]
                body = f"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP {MP2T}\r\n"
                body += "c=IN IP4 0.0.0.0\r\na=control:track1\r\n"
            elif words[0] == "SETUP":
                told.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
            self.answer("200 OK", headers, told, body)
            if words[0] == "PLAY":
                self.number = 0
                sent.send(self.write_rtp)
            return words[0] not in ("PLAY", "TEARDOWN")

        def answer(self, status, headers, told, body=""):
            told = [*told, f"Content-Length: {len(body)}"] if body else told
            lines = [f"RTSP/1.0 {status}", f"CSeq: {headers.get('CSeq', '0')}", *told, "", body]
            self.wfile.write("\r\n".join(lines).encode())

        def write_rtp(self, data):
            header = struct.pack(">BBHII", 0x80, MP2T, self.number % 65536, self.number * CLOCK // 30, 7)
            self.number += 1
            self.wfile.write(struct.pack(">cBH", b"$", 0, len(header) + len(data)) + header + data)

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True

    with served(Server(("127.0.0.1", 0), Handler), sent) as port:
        yield f"rtsp://127.0.0.1:{port}"


@contextmanager
def served(server, sent):
    """Run a threading server; leaves no thread behind."""
    server.daemon_threads = False
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    with server:  # waits for the threads of the connections
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            sent.over.set()
            server.shutdown()
            thread.join()
