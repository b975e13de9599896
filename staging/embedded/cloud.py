"""The account's process: moto's server, which answers for EC2, load balancing, RDS, ElastiCache, CodeDeploy and CloudWatch."""

from __future__ import annotations

import logging
import os

from staging.embedded.child import read_settings, report_ready


def main() -> None:
    read_settings()
    # Thousands of machine images that nobody asks for; moto reads this when it is imported.
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line a request is nobody's reading
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True, request_handler=MotoRequestHandler)
    report_ready(port=server.server_port)
    server.serve_forever()


if __name__ == "__main__":
    main()
