"""The chapter *backtest*."""
