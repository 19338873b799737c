"""What the amounts of an export mean, and the money per year that follows from it.

An amount does not say of itself whether it is in euros or cents, per year or per instalment, with
or without tax, an amount or a percentage, or what its term counts. Each of these is a question with
a module of its own:

- `unit`: euros or cents;
- `period`: per year, per instalment or per month;
- `tax`: with or without insurance premium tax;
- `commission`: an amount or a percentage of the premium;
- `terms`: months between instalments, or instalments a year.

A question is an ordered list of detectors, and the first that answers wins
(`questions.first_answer`): the client's settings, the heading, what the amounts themselves show,
and at last what is assumed, which is said. `conventions` asks the questions of a table, `money`
applies the answers row by row, `revenue` makes of them what a policy brings."""
