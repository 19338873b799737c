"""Commands that look at what there is: words, schemas, two runs beside each other, a run again."""
