"""Builds the policy pack. The rules themselves are plain functions in the modules beside this one."""

from pulumi_policy import PolicyPack

from rules import access, data, stores
from rules.adapter import policy

PolicyPack("task-assist", policies=[policy(rule) for rule in (*data.RULES, *access.RULES, *stores.RULES)])
