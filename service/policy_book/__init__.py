"""Policies: what a document says, and the book that keeps them from draft to live."""

from service.policy_book.loading import load
from service.policy_book.policy import (
    ANY_SURFACE,
    NEVER,
    UNAVAILABLE,
    Join,
    Joined,
    Parts,
    Policy,
    PolicyRefused,
    Rule,
    RuleException,
    Thresholds,
)

__all__ = [
    "ANY_SURFACE",
    "NEVER",
    "UNAVAILABLE",
    "Join",
    "Joined",
    "Parts",
    "Policy",
    "PolicyRefused",
    "Rule",
    "RuleException",
    "Thresholds",
    "load",
]
