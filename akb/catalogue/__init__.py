"""The predictions as data: ``predictions.toml`` and the names that it may use."""
