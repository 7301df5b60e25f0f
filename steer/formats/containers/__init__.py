"""Kinds of files, whatever is in them: each checks what a header claims before reading on."""
