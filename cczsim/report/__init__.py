"""Results as tables, charts, maps and one page that opens offline."""
