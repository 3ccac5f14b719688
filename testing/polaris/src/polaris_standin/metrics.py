"""`/q/metrics`: what this process can truly say about itself, in OpenMetrics text."""

from __future__ import annotations

import resource
import threading
import time
from collections import Counter

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Metrics:
    """Counts answers by status since the start."""

    def __init__(self) -> None:
        self._started = time.time()
        self._lock = threading.Lock()
        self._answers: Counter[int] = Counter()

    def count(self, status: int) -> None:
        """Count an answer."""
        with self._lock:
            self._answers[status] += 1

    def text(self) -> str:
        """The exposition, ended as the format asks."""
        usage = resource.getrusage(resource.RUSAGE_SELF)
        with self._lock:
            answers = sorted(self._answers.items())
        lines = [
            "# TYPE process_start_time_seconds gauge",
            f"process_start_time_seconds {self._started:.3f}",
            "# TYPE process_cpu_seconds counter",
            f"process_cpu_seconds_total {usage.ru_utime + usage.ru_stime:.3f}",
            "# TYPE http_server_answers counter",
            *(f'http_server_answers_total{{status="{status}"}} {number}' for status, number in answers),
            "# EOF",
        ]
        return "\n".join(lines) + "\n"
