"""The transparency log (透明日志): an append-only Merkle tree of what was done, which a stranger can check."""
