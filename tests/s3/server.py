"""An S3 server for tests (moto) on a free port of loopback, with a bucket `backups`. It prints its port, and
ends when its standard input does.

GET /-/refuse/END refuses writes of all files whose names end so, as it would for want of a right
GET /-/refuse/     refuses all writes
GET /-/take        takes all again
"""

import os
import sys
import threading

import boto3
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

REFUSAL = b"<Error><Code>AccessDenied</Code><Message>no more writes</Message></Error>"


class Refusing:
    def __init__(self, app):
        self.app = app
        self.refused = None

    def __call__(self, environ, start_response):
        path = environ["PATH_INFO"]
        if path.startswith("/-/"):
            self.refused = path.removeprefix("/-/refuse/") if path != "/-/take" else None
            start_response("200 OK", [("Content-Length", "0")])
            return []
        writes = environ["REQUEST_METHOD"] in ("PUT", "POST", "DELETE")
        if writes and self.refused is not None and path.endswith(self.refused):
            headers = [("Content-Type", "application/xml"), ("Content-Length", str(len(REFUSAL)))]
            start_response("403 Forbidden", headers)
            return [REFUSAL]
        return self.app(environ, start_response)


def main():
    app = Refusing(DomainDispatcherApplication(create_backend_app))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{server.server_port}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    ).create_bucket(Bucket="backups")
    print(server.server_port, flush=True)
    sys.stdin.read()
    os._exit(0)


main()
