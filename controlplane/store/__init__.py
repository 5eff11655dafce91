"""What this plane keeps in PostgreSQL: tables, migrations, and how configuration is read, written and heard
of.
"""
