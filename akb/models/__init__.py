"""What will happen: engine, calibration, survival, evidence, explanation."""
