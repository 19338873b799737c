"""Files to tables of text: CSV, workbooks, Parquet, and ZIPs of them; damage ends in a sentence."""
