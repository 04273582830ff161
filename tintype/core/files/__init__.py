"""Picked files: links to Instagram media, stored copies, what is made of them, and who may use them."""
