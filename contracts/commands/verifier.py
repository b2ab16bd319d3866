"""What verifier can be asked: nothing yet; it acts on facts."""
