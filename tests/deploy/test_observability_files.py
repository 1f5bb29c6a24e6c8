"""Dashboards and alerts ask only for series that a service really has."""

import json
import re
from pathlib import Path

import pytest
import yaml

from config import SERVICES

ROOT = Path(__file__).resolve().parent.parent.parent
DEFINED = re.compile(r"(Counter|Gauge|Histogram)(?:MetricFamily)?\(\s*\"(pronto_\w+)\"")
USED = re.compile(r"\bpronto_\w+")


def defined_series() -> set[str]:
    """Names as Prometheus shows them."""
    names: set[str] = set()
    for service in (*SERVICES, "observability"):
        for path in (ROOT / service).rglob("*.py"):
            for kind, name in DEFINED.findall(path.read_text(encoding="utf-8")):
                if kind == "Counter":
                    names.add(name.removesuffix("_total") + "_total")
                elif kind == "Histogram":
                    names |= {f"{name}_bucket", f"{name}_sum", f"{name}_count"}
                else:
                    names.add(name)
    return names


def expressions() -> list[str]:
    alerts = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8"))
    dashboard = json.loads((ROOT / "deploy/grafana/dashboards/pronto.json").read_text(encoding="utf-8"))
    rules = [rule["expr"] for group in alerts["groups"] for rule in group["rules"]]
    return rules + [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


@pytest.mark.parametrize("expression", expressions())
def test_every_series_of_a_dashboard_or_alert_exists(expression: str) -> None:
    used = set(USED.findall(expression))
    assert used or "up{" in expression or "process_start_time_seconds" in expression
    assert used <= defined_series()
