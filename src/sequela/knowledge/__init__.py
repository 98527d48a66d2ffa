"""The medicine: YAML that a clinician can read and correct, and the module that loads, checks and compiles it."""

from sequela.knowledge.loader import KnowledgeError, load, sources

__all__ = ["KnowledgeError", "load", "sources"]
