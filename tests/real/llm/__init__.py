"""A model that answers as told: `behaviour` says what a prompt asks for, `dialects` speak four protocols, `serve` is
the server (a process of its own), `served` runs it for a test."""
