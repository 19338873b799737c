"""Today's value is no history: which columns show what became of a policy instead of what was known
of it.

A back office overwrites what it no longer needs. Who left belongs to an adviser ARCHIEF, his term
is reset, his postcode emptied; or only who is still there has the new value. Of such a column the
value of today tells at every earlier T who will be gone. `columns` lists what is tested, `survival`
tests one column, `verdicts` says what the features may see."""
