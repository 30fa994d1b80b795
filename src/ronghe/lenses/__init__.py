"""One question, one file: select from the snapshot, call a kernel, return a finding."""
