"""What visitors do, one file a scenario; each ends in SCENARIO = Scenario(…)."""
