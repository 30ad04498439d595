"""Speed of spinert, measured against what it replaces; see README.md here."""
