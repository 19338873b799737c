"""What the amounts of an export mean, and the money per year that follows from it."""
