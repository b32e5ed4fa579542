"""From predictions to tables, intervals, pictures and a report."""
