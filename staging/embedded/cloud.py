"""The account's process: moto's server, which answers for EC2, load balancing, RDS, ElastiCache, CodeDeploy and CloudWatch."""

from __future__ import annotations

import logging
import os
from typing import Any

from staging.embedded.child import read_settings, report_ready


def credit_mode(kind: str) -> str:
    """Return the credit mode that AWS gives a burstable type by itself: standard to T2, unlimited to the later families."""
    return "standard" if kind.startswith("t2.") else "unlimited"


def say_credit_modes() -> None:
    """Let DescribeInstanceCreditSpecifications answer by type: moto 5.2 says "standard" of every instance, T3 and M5 alike."""
    from moto.core.responses import ActionResult
    from moto.ec2.responses.instances import InstanceResponse

    def answer(self: Any) -> Any:
        asked = self.ec2_backend.describe_instance_credit_specifications(self._get_param("InstanceIds", []))
        burstable = (instance for instance in asked if instance.instance_type.startswith("t"))
        modes = [{"InstanceId": each.id, "CpuCredits": credit_mode(each.instance_type)} for each in burstable]
        return ActionResult({"InstanceCreditSpecifications": modes})

    InstanceResponse.describe_instance_credit_specifications = answer  # type: ignore[method-assign]  # the one answer that is replaced


def say_no_percentiles() -> None:
    """Let GetMetricData leave out what it can't tell, as CloudWatch does: moto 5.2 breaks at percentiles, which it doesn't know."""
    from moto.cloudwatch.models import CloudWatchBackend

    plain = CloudWatchBackend.get_metric_data

    def answer(self: Any, *args: Any, **kwargs: Any) -> Any:
        results = plain(self, *args, **kwargs)
        for result in results:
            told = [(at, value) for at, value in zip(result["timestamps"], result["values"], strict=True) if value is not None]
            result["timestamps"], result["values"] = [at for at, _ in told], [value for _, value in told]
        return results

    CloudWatchBackend.get_metric_data = answer  # type: ignore[method-assign]  # the one answer that is corrected


def main() -> None:
    read_settings()
    # Thousands of machine images that nobody asks for; moto reads this when it is imported.
    os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    say_credit_modes()
    say_no_percentiles()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line a request is nobody's reading
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True, request_handler=MotoRequestHandler)
    report_ready(port=server.server_port)
    server.serve_forever()


if __name__ == "__main__":
    main()
