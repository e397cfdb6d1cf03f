"""What offers and answers say about keys, roles, multiplexing and candidates, requirement by requirement."""
