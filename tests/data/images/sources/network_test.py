import http.server
import threading

import pytest

from enas_tf.data.images.sources.network import are_reachable


@pytest.fixture
def refusing_server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/file"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_answer_that_refuses_counts(refusing_server):
    assert are_reachable([refusing_server]) == [True]


def test_addresses_are_judged_one_by_one(refusing_server):
    assert are_reachable(["http://127.0.0.1:1/", refusing_server, "nonsense"]) == [
        False,
        True,
        False,
    ]
