"""Words that everyone shares: endpoints, identifiers, injected sources, errors. Imports nothing of ours."""
