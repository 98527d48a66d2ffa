"""Sequela finds out why back surgery failed, and what to do next.

    >>> import sequela
    >>> assessment = sequela.assess("examples/recurrent-disc")

Clinical decision support for clinicians; not validated prospectively; it does not replace them.
"""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "assess", "assess_text", "read", "what_if"]


def __getattr__(name: str) -> Any:
    """Load the machinery only when it is used, so that `import sequela` costs nothing."""
    if name in ("assess", "assess_text", "read", "what_if"):
        from sequela import api

        return getattr(api, name)
    raise AttributeError(f"module 'sequela' has no attribute {name!r}")
