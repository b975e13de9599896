"""Carries the load balancer's counts to CloudWatch, beside the proxy so that its latency never waits for it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from staging.balancer import BalancerControl
from staging.embedded.account import Clients
from staging.embedded.request_metrics import NAMESPACE, as_metric_data


class MetricPublisher:
    """A thread that publishes every `every_s`; `publish` does it at once, too."""

    def __init__(self, balancer: BalancerControl, clients: Clients, load_balancer: str, every_s: float) -> None:
        self._balancer, self._clients, self._load_balancer = balancer, clients, load_balancer
        self._stopped, self._one_at_a_time = threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._run, args=(every_s, self._stopped.wait), name="metrics", daemon=True)
        self._thread.start()

    def publish(self) -> int:
        """Put what was counted since the last time into the minutes it belongs to; return how many statistics."""
        with self._one_at_a_time:
            data = list(as_metric_data(self._balancer.take_counts(), self._load_balancer))
            for at in range(0, len(data), 500):
                self._clients.cloudwatch.put_metric_data(Namespace=NAMESPACE, MetricData=data[at : at + 500])
        return len(data)

    def stop(self) -> None:
        """End the thread; what is counted after the last publishing stays unpublished."""
        self._stopped.set()
        self._thread.join(10)

    def _run(self, every_s: float, wait: Callable[[float], bool]) -> None:
        while not wait(every_s):
            try:
                self.publish()
            except Exception as failed:  # noqa: BLE001 - a stack without one minute's metrics is better than none
                print(f"the load balancer's counts were not published: {failed!r}", file=sys.stderr)
