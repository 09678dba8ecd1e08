//! Credentials that the environment has. Each process has one environment, so a child process makes the calls: the binary itself, by
//! `validate --connect`.

