"""Stores every OTLP request that comes in, to record what clients send.

    python capture.py FOLDER [--port 4318] [--grpc-port 4317] -- COMMAND...

Starts COMMAND with OTEL_EXPORTER_OTLP_ENDPOINT set, waits for it to end and ends with its code. Each
body is written decompressed as FOLDER/NN-traces.pb (or .json, NN-logs.pb, ...), and requests.json
says of each which path, content type and encoding it came with. Without COMMAND it serves until it
is interrupted. Needs the standard library alone; gRPC is served where grpcio is installed.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import threading
import zlib
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

UNPACK = {"gzip": gzip.decompress, "deflate": zlib.decompress, "identity": bytes}
GRPC_SERVICES = {
    f"opentelemetry.proto.collector.{signal}.v1.{service}Service": signal
    for signal, service in [("trace", "Trace"), ("logs", "Logs"), ("metrics", "Metrics")]
}


class Folder:
    """Numbered bodies in one folder, and a list of how each came."""

    def __init__(self, path: Path):
        self.path = path
        self.requests = []
        self.lock = threading.Lock()
        path.mkdir(parents=True, exist_ok=True)

    def add(self, body: bytes, signal: str, **how) -> None:
        ending = "json" if "json" in how["content_type"] else "pb"
        with self.lock:
            name = f"{len(self.requests) + 1:02}-{signal}.{ending}"
            (self.path / name).write_bytes(body)
            self.requests.append({"file": name, **how})
            text = json.dumps(self.requests, indent=2)
            (self.path / "requests.json").write_text(text + "\n")


def http_server(folder: Folder, port: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            packed = self.body()
            encoding = self.headers.get("Content-Encoding", "identity")
            content_type = self.headers.get("Content-Type", "")
            signal = self.path.rstrip("/").rsplit("/", 1)[-1]
            folder.add(
                UNPACK[encoding](packed),
                signal,
                transport="http",
                path=self.path,
                content_type=content_type,
                encoding=encoding,
                user_agent=self.headers.get("User-Agent", ""),
            )
            answer = b"{}" if "json" in content_type else b""
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            pieces = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(pieces)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def grpc_server(folder: Folder, port: int):
    """A gRPC server that takes bodies as bytes and answers with an empty message, or None."""
    try:
        import grpc
    except ImportError:
        return None, None

    class Bodies(grpc.GenericRpcHandler):
        def service(self, call):
            service = call.method.strip("/").split("/")[0]
            if service not in GRPC_SERVICES:
                return None
            signal = {"trace": "traces"}.get(GRPC_SERVICES[service], GRPC_SERVICES[service])
            user_agent = dict(call.invocation_metadata).get("user-agent", "")

            def take(body, _context):
                # The library unpacks bodies and does not say how they were packed.
                folder.add(
                    body,
                    signal,
                    transport="grpc",
                    path=call.method,
                    content_type="application/grpc",
                    user_agent=user_agent,
                )
                return b""

            return grpc.unary_unary_rpc_method_handler(take)

    server = grpc.server(futures.ThreadPoolExecutor(2), handlers=[Bodies()])
    bound = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server, bound


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0, help="for HTTP; 0 takes a free one")
    parser.add_argument("--grpc-port", type=int, default=0)
    parser.add_argument("command", nargs="*", help="after --")
    arguments = parser.parse_args()

    folder = Folder(arguments.folder)
    http = http_server(folder, arguments.port)
    grpc, grpc_port = grpc_server(folder, arguments.grpc_port)
    print(f"HTTP on {http.server_port}, gRPC on {grpc_port}", file=sys.stderr, flush=True)
    if not arguments.command:
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return 0

    by_grpc = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL") == "grpc"
    port = grpc_port if by_grpc else http.server_port
    endpoint = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    code = subprocess.run(arguments.command, env=environment).returncode
    if grpc:
        grpc.stop(None)
    return code


if __name__ == "__main__":
    sys.exit(main())
