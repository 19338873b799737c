"""What a spreadsheet, a report or an office did to cells, put right before anything is read."""
