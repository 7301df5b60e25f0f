"""Reports of runs for people and programs: one page of HTML, or a table. No torch, no server."""
