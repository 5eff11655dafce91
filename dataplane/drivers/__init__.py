"""What the data plane reaches outside with: detector, clock, journal, policy feed, ledger, logs."""
