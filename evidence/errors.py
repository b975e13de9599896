"""What a user's mistake looks like: one sentence that says where, what is wrong, and the mend."""

from __future__ import annotations


class SizeupError(Exception):
    """The question was wrong (usage, settings, credentials, environment, unreadable run): exit code 2.

    Its text is shown as it is, so it names the file, field or resource, what is wrong, and the mend.
    """
