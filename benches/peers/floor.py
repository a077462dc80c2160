"""The least that taking in reports costs, as a target of peerbench: `benches/floor.rs`, which only keeps them.

    python peerbench.py ingest --target-file benches/peers/floor.py --target floor --spawn target/release/deps/floor-...

There is nothing to read or to list: only `ingest` tells anything.
"""
from __future__ import annotations

from peerbench import Target


class Floor(Target):
    name, default_url, health_path = "floor", "http://127.0.0.1:4000", "/readyz"

    def count_visible(self, http):
        return 0, int(http.send("GET", "/count")[2])

    def fetch_trace(self, http, trace_id):
        return []

    def list_newest(self, http, count):
        return []

    def version(self, http):
        return "1"

    def command(self, binary, data_dir, host, port):
        return [binary, "--data", data_dir, "--listen", f"{host}:{port}"], {}
