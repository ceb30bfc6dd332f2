"""Verification without a network (离线查验): codes that carry their own proof, status lists, a kit to ask them."""
