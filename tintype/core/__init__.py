"""What the service does. No web framework, no status codes, no wire shapes."""
