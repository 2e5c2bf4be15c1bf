"""Intent: probes, the freeze-thaw protocol, pure edits of both, rules, and the plan file."""
