"""A plugin whose import fails."""

import acme_no_such_module  # noqa: F401
