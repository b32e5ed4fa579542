"""Analysis of predictions: tables, intervals, figures and reports."""
