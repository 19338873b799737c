"""The chapter *glossary*."""
