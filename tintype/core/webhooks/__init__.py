"""Signed webhooks: who is told of what, kept in the transaction of the change itself, delivered until it arrived."""
