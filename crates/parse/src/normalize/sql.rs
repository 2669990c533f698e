//! What a SQL statement does: action, object, accounts, privileges. Never executes, never allocates more than the statement.
