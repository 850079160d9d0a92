"""What a study's results say: ranking, verdicts, the winner by budget, failures, and an audit of
bias."""
