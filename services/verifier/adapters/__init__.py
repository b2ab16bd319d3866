"""The providers of measurements."""
