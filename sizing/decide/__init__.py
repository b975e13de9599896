"""From worlds to an answer: candidates, their verdicts, the choice, and what would change it."""
