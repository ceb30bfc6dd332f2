"""Whatever an author wrote that must be evaluated (表达式): FEEL and decision tables, never eval."""
