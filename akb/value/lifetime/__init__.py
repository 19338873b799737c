"""What customers are worth while they stay: survival, lifetime value and its backtest."""
