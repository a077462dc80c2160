"""Dendro as a target of peerbench: how a client of its API would count, read and list.

    python peerbench.py all --target-file benches/peers/dendro.py --target dendro --spawn target/release/dendro

Everything goes through GraphQL. A trace is read in pages of the flat list `spans`, with every attribute and
event of every span; the list page asks for what such a page shows.
"""
from __future__ import annotations

import uuid

from peerbench import Target


class Dendro(Target):
    name, default_url, health_path = "dendro", "http://127.0.0.1:4000", "/readyz"
    page = 10_000

    FETCH = """query($t: ID!, $n: Int!, $after: String) { trace(id: $t) {
      spans(first: $n, after: $after) { pageInfo { hasNextPage endCursor } nodes {
        spanId parentSpanId name operationType status statusMessage startTime endTime attributes
        events { name time attributes } } } } }"""
    LIST = """query($n: Int!) { traces(first: $n) { nodes {
      traceId name status startTime durationMs totalTokens } } }"""
    COUNT = """query($after: String) { traces(first: 1000, after: $after) {
      pageInfo { hasNextPage endCursor } nodes { spanCount } } }"""
    VISIBLE = "query($t: ID!) { trace(id: $t) { skeleton { spanIds } } }"

    def _query(self, http, query, **variables):
        answer = http.json("POST", "/graphql", {"query": query, "variables": variables})
        if answer.get("errors"):
            raise RuntimeError(str(answer["errors"])[:300])
        return answer["data"]

    @staticmethod
    def _trace(hexadecimal):
        return str(uuid.UUID(hexadecimal))

    @staticmethod
    def _span(text):
        return text.replace("-", "")[16:] if text else None

    def count_visible(self, http):
        traces, spans, after = 0, 0, None
        while True:
            page = self._query(http, self.COUNT, after=after)["traces"]
            traces += len(page["nodes"])
            spans += sum(node["spanCount"] for node in page["nodes"])
            if not page["pageInfo"]["hasNextPage"]:
                return traces, spans
            after = page["pageInfo"]["endCursor"]

    def fetch_trace(self, http, trace_id):
        spans, after = [], None
        while True:
            trace = self._query(http, self.FETCH, t=self._trace(trace_id), n=self.page, after=after)["trace"]
            if trace is None:
                return []
            for node in trace["spans"]["nodes"]:
                spans.append({"span_id": self._span(node["spanId"]), "parent_id": self._span(node["parentSpanId"]),
                              "input": (node["attributes"] or {}).get("input.value")})
            info = trace["spans"]["pageInfo"]
            if not info["hasNextPage"]:
                return spans
            after = info["endCursor"]

    def list_newest(self, http, count):
        return [{"trace_id": node["traceId"].replace("-", ""), "tokens": int(node["totalTokens"])}
                for node in self._query(http, self.LIST, n=count)["traces"]["nodes"]]

    def span_visible(self, http, trace_id, span_id):
        trace = self._query(http, self.VISIBLE, t=self._trace(trace_id))["trace"]
        ids = trace["skeleton"]["spanIds"] if trace and trace["skeleton"] else []
        return any(self._span(each) == span_id for each in ids)

    def version(self, http):
        return "main"

    def command(self, binary, data_dir, host, port):
        return [binary, "serve", "--data", data_dir, "--listen", f"{host}:{port}",
                "--otlp-http", "off", "--otlp-grpc", "off", "--log", "warn"], {}
