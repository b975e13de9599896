"""Listener rules: which target group a request goes to, by its Host header, lowest priority number first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True, slots=True)
class Rule:
    """Hosts (with * and ? as AWS allows them) and the target group's name; priority 0 is the default rule, which asks nothing."""

    priority: int
    target_group: str
    hosts: tuple[str, ...] = ()

    def holds(self, host: str) -> bool:
        return self.priority == 0 or any(fnmatchcase(host, pattern) for pattern in self.hosts)


def read_rules(given: Sequence[Mapping[str, Any]]) -> list[Rule]:
    """Return the rules in the order in which they are tried, the default one last."""
    rules = (Rule(int(rule["priority"]), str(rule["target_group"]), tuple(map(str.lower, rule.get("hosts", ())))) for rule in given)
    return sorted(rules, key=lambda rule: (rule.priority == 0, rule.priority))


def match(rules: Sequence[Rule], host_header: str) -> Rule | None:
    """Return the first rule that holds for a Host header; its port doesn't count."""
    host = host_header.lower().rpartition(":")[0] if host_header.rpartition(":")[2].isdigit() else host_header.lower()
    return next((rule for rule in rules if rule.holds(host)), None)
