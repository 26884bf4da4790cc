"""The only long-lived, impure part: one process per runtime directory, one task group, many small rooms."""
