"""The checks that decide whether a change is good: formatting, lint, types, import rules, tests."""
