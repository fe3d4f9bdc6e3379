"""Builds the policy pack. The rules themselves are plain functions in the modules beside this one."""

import sys
from pathlib import Path

# As in infra/__main__.py: the folder itself must not be searched for imports.
sys.path[0] = str(Path(__file__).resolve().parents[2])

from pulumi_policy import PolicyPack  # noqa: E402

from infra.policies import access, data  # noqa: E402
from infra.policies.adapter import policy  # noqa: E402

PolicyPack("task-assist", policies=[policy(rule) for rule in (*data.RULES, *access.RULES)])
